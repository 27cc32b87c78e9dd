"""Linq's silence -> a value we picked. Everything the emulator does that Linq documents nowhere, in one list.

A choice is a plain constant: code that obeys it names it, `linqbot emulator --choices` prints it. A bot must not depend
on any of these. What is unknown comes from linq-api-v3.md sections 10 and 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing Linq leaves open, and what the emulator does about it."""

    about: str
    value: str
    unknown: str


_listed: list[Choice] = []


def _choose(value: _T, *, about: str, unknown: str, shown: str = "") -> _T:
    _listed.append(Choice(about, shown or str(value), unknown))
    return value


REPLAY_STATUS = _choose("that of the first answer", about="HTTP status of an idempotent replay", unknown="section 4")
REUSE_STATUS = _choose(201, about="HTTP status of POST /v3/chats when a chat is reused", unknown="section 7.1")
KEY_SCOPE = _choose("account", about="where an idempotency key is unique", unknown="section 12 item 1")
KEY_LIFETIME = _choose(
    "as long as the message is kept", about="life of an idempotency key", unknown="section 12 item 1"
)
KEY_CONFLICT = _choose(
    "the first answer again, counted as a conflict", about="a known key with another body", unknown="section 12 item 1"
)
KEY_CHECK = _choose("before the message rules", about="when a known key is looked up", unknown="section 12 item 1")
CONTENT_CODE = _choose(1004, about="code for content rules without a stated code", unknown="section 12 item 8")
VALUE_CODE = _choose(1005, about="code for a field value out of range or of a wrong type", unknown="section 12 item 8")
REPLY_TARGET_CODE = _choose(2002, about="code (404) for a reply_to whose target is unknown", unknown="section 6.2")
FIRST_MESSAGE_CODE = _choose(1005, about="code for reply_to or effect in a first message", unknown="section 7.1")
FIRST_ANYWHERE = _choose(
    "an effect is accepted, a reply has no target", about="a first message by POST /v3/messages", unknown="section 6.2"
)
URL_IN_TEXT = _choose(
    "a scheme with ://, or www.", about="what is a URL in the text of a first message", unknown="section 7.1"
)
OWN_NUMBER = _choose((400, 1005), about="a line among the recipients of its own message", unknown="section 12 item 8")
REPLY_PART = _choose("accepted", about="a reply_to whose part_index the target has not", unknown="section 12 item 8")
EXPERIENCE_CODE = _choose(2011, about="code (403) for experiences", unknown="section 6")
TEXT_UNIT = _choose("UTF-16 code units", about="unit of the 10,000 characters", unknown="section 12 item 9")
BLANK_TEXT = _choose("accepted", about="text of white space only", unknown="section 12 item 9")
PAIR_WINDOW_MS = _choose(
    60_000,
    about="the 30 messages per 60 s of a pair",
    unknown="section 3",
    shown="a sliding window; refusals do not count",
)
PAIR_OF_A_GROUP = _choose("the group chat", about="the pair of a group message", unknown="section 3")
GATE_ORDER = _choose(
    "line (2027), block (2026), sandbox (2008), opt-out (2024), rate (1007)",
    about="which refusal comes first",
    unknown="section 7",
)
FREE_ACTS = _choose(
    "neither opt-outs, blocks nor the pair's minute stop them",
    about="reactions, edits, typing, read receipts, shared cards",
    unknown="sections 3 and 9.1 speak of sends",
)
SANDBOX_GROUP = _choose("everybody wrote first", about="a group on a sandbox line", unknown="section 9.2")
SANDBOX_MINUTE = _choose("not limited", about="sandbox messages per minute", unknown="section 12 item 15")
WINDOW = _choose("sliding; refusals do not count", about="every other limit per time", unknown="section 3")
LEFT_CHAT = _choose("can still be read", about="GET of a chat our line left", unknown="section 7")
BLOCK_STATUS = _choose(200, about="HTTP status of POST /v3/blocked_handles", unknown="section 12 item 10")
NOT_BLOCKED = _choose((404, 2001), about="unblocking a handle that is not blocked", unknown="section 12 item 10")
CHAT_ORDER = _choose("newest first", about="order of GET /v3/chats", unknown="section 12 item 6")
MESSAGE_ORDER = _choose("newest first", about="order of GET /v3/chats/{id}/messages", unknown="section 12 item 6")
CURSOR = _choose("an offset in decimal", about="format of next_cursor", unknown="section 12 item 6")
DUPLICATE_TARGET = _choose((409, 2015), about="a target_url used twice (status, code)", unknown="section 12 item 8")
BAD_TARGET = _choose((400, 1005), about="a target_url that is not HTTPS (status, code)", unknown="section 12 item 8")
UNKNOWN_VERSION = _choose(
    (400, 1005), about="an unknown ?version= on a target_url (status, code)", unknown="section 8.1"
)
LOOPBACK_TARGETS = _choose(
    "http is allowed to loopback hosts", about="private targets", unknown="refused by Linq; needed to develop locally"
)
CREATED_BEFORE_MESSAGE = _choose(
    "chat.created, then message.received", about="order of events for a chat they start", unknown="section 12 item 11"
)
INBOUND_SERVICE = _choose("the service of their last message", about="the service of a chat", unknown="section 5")
UNDECLARED = _choose(
    ("iMessage", "SMS"), about="services of somebody who was not declared and never wrote", unknown="section 6.2"
)
UNDECLARED_RCS = _choose(("RCS", "SMS"), about="services of such a person for a line of type RCS", unknown="section 5")
SERVICE_IMPOSSIBLE_CODE = _choose(
    4005, about="message.failed code when iMessage is demanded for somebody without it", unknown="section 6.2"
)
LIFECYCLE_MS = _choose(
    (2, 4, 6), about="milliseconds from acceptance to sent, delivered, read", unknown="section 12 item 7"
)
READ_RECEIPTS = _choose("everybody", about="whose phone tells that a message was read", unknown="section 9.3")
TRANSCRIPT = _choose(
    "as it was sent, with what only iMessage shows",
    about="a message on a phone in the transcript",
    unknown="section 6.2; ours to define",
)
TYPING_MS = _choose(90_000, about="milliseconds a typing bubble lasts", unknown="section 7.4 says 85 to 90 s")
GROUP_TYPING = _choose("works", about="typing in a group", unknown="section 11")
EDIT_LIMIT = _choose((409, 2015), about="a sixth edit, or one after 15 minutes", unknown="section 12 item 8")
EDIT_OTHERS = _choose((403, 2005), about="editing somebody else's message", unknown="section 12 item 8")
EDIT_DECORATIONS = _choose("gone", about="decorations of an edited text", unknown="section 7.5")
TAPBACKS = _choose(
    "another one replaces it without reaction.removed", about="a second tapback on a part", unknown="section 12 item 19"
)
PLACEMENT_STATUS = _choose(202, about="HTTP status of moving a sticker", unknown="section 12 item 10")
STICKER_PIXELS = _choose(320, about="width and height of stickers", unknown="section 5")
LINQ_HOST = _choose("linqapp.com", about="hosts whose media do not count as public", unknown="section 6.1")
SITE = _choose(
    "http://linq.invalid", about="address of files before the first request tells ours", unknown="section 7.6"
)
DOWNLOAD_MS = _choose(3_600_000, about="life of a download URL in milliseconds", unknown="section 11")
BAD_SIGNATURE = _choose(
    (403, 2005), about="a presigned URL that is changed, too old, or used with other headers", unknown="section 7.6"
)
BAD_UPLOAD = _choose((400, 5001), about="an upload of another size", unknown="section 7.6")
STRIPPED = _choose("the whole part goes", about="messages whose attachment is deleted", unknown="section 7.6")
URL_FORMAT = _choose(
    400,
    about="media by URL is judged by its extension, if that is a known one",
    unknown="section 6.1",
    shown="nothing is fetched: 400/5004 for known types that are not listed",
)
VOICE_DURATION_MS = _choose(None, about="duration_ms of a voice memo", unknown="section 7")
CARD_URL = _choose("https://linq.invalid/card", about="url of an app card sent without one", unknown="section 6.1")
CLIP_CODE = _choose(1004, about="code for a bad app clip", unknown="section 6.1")
GROUP_STATE = _choose((409, 2015), about="a group too small, too large, or somebody already in", unknown="section 7.3")
UPDATE_FAILED = _choose(4001, about="error_code when a group is not on iMessage", unknown="section 8.6")
TWO_KEYS = _choose("the header counts", about="a key in header and body of POST /v3/messages", unknown="section 4")
NO_CARD = _choose("an empty list", about="GET /v3/contact_card without a card", unknown="section 11")
SHARE_TOO_EARLY = _choose((409, 2015), about="sharing a card before any message of ours", unknown="section 7.4")
CHECK_SCOPE = _choose("a line", about="what may check a capability once in 10 s", unknown="section 3")
AUDIT = _choose("ends with status error", about="a reputation audit", unknown="nothing here has a reputation")
ALREADY_SHARING = _choose((409, 2015), about="asking for a location that is shared", unknown="section 7")
LOCATION_WINDOW_MS = _choose(
    60_000, about="milliseconds between location requests of a chat", unknown="section 12 item 15"
)
BACKGROUND_STATUS = _choose(202, about="HTTP status of POST and DELETE background", unknown="section 12 item 10")
POLL_STATUS = _choose(200, about="HTTP status of all poll calls", unknown="section 12 item 10")
POLL_OPTIONS = _choose(100, about="most options of a poll", unknown="section 7.7")
POLL_TEXT = _choose(1_000, about="longest text of an option", unknown="section 7.7")
NOT_A_POLL = _choose((400, 1005), about="a poll call on another message", unknown="section 12 item 10")
ZERO_RETENTION = _choose(
    "parts are empty in every answer and webhook, inbound too", about="zero-retention lines", unknown="section 9.5"
)
OPT_OUT_HEALTH = _choose(
    "already reads OPTED_OUT", about="health_status on the webhook that carries STOP", unknown="section 12 item 14"
)
JUDGEMENT = _choose(
    "HEALTHY until the control API says otherwise, OPTED_OUT from the word to the next message",
    about="health of a chat and reputation of a line",
    unknown="section 9.2: how Linq judges",
)
RETRY_BASE_MS = _choose(
    3_000,
    about="delays between the 10 attempts of a webhook",
    unknown="section 12 item 2",
    shown="3 s doubling to 10 min, each up to 10 % longer: about 25 minutes in all",
)
RETRY_JITTER = _choose(0.1, about="share of random lengthening of a retry delay", unknown="section 8.3")
REDIRECTED_WEBHOOK = _choose("final, not followed", about="a webhook answered 3xx", unknown="section 12 item 2")
DELIVERIES_AT_ONCE = _choose(32, about="webhooks under way to one target at a time", unknown="section 8.3")
WEBHOOK_ID = _choose("the event_id", about="header webhook-id", unknown="section 12 item 3")
LEGACY_KEY = _choose(
    "the secret as issued, prefix kept", about="key of the legacy signature", unknown="section 12 item 4"
)
WRONG_METHOD_CODE = _choose(2001, about="code (405) of a method that an address does not have", unknown="section 2")
BODY_LIMIT = _choose(5 * 1024 * 1024, about="bytes of a request body, then 413", unknown="section 12 item 17")

CHOICES: tuple[Choice, ...] = tuple(_listed)
"""Every choice, in the order of the contract."""
