"""Any reply, put together at random: either it is refused by name, or Linq takes every message that it becomes."""

from __future__ import annotations

import json
from typing import Any, get_args

from hypothesis import event, given
from hypothesis import strategies as st

from linqbot.emulator.names import Names
from linqbot.emulator.rules import read_content
from linqbot.emulator.vault import Vault
from linqbot.errors import ReplyError
from linqbot.protocol.answering import Answering
from linqbot.protocol.outbound import freeze
from linqbot.protocol.threading import Circumstances
from linqbot.replies import (
    Animation,
    AppCard,
    AppClip,
    Decoration,
    InlineSticker,
    Link,
    Markdown,
    Media,
    Mention,
    Reply,
    Target,
    Text,
    animated,
    bold,
    italic,
    strikethrough,
    underline,
)
from linqbot.replies.effect import EFFECTS
from linqbot.replies.spans import STYLES
from linqbot.testing.clock import TurnedClock

LINE, ANN = "+12025550100", "ann@example.com"
CHAT = "8f392755-6865-4b18-880a-227f9d8b458f"
INBOUND = Target("89e3566e-1d13-49e5-a8ee-48490d5bfeb7")
VAULT = Vault(Names(0), TurnedClock())
IMAGES = [VAULT.store(f"{number}.png", b"png").id for number in range(11)]

WORDS = st.text(st.sampled_from("ab \n.👍🏽é\u0301\ud83d"), min_size=1, max_size=12) | st.sampled_from(
    ["", "https://example.com/a_b", "word " * 2_100, "👍" * 5_001, "e\u0301" * 5_001]
)
STICKERS = st.builds(InlineSticker, st.sampled_from(["🥤", "*", "[cup] "]), attachment_id=st.sampled_from(IMAGES))
MENTIONS = st.builds(Mention, st.just(ANN), st.none() | st.sampled_from(["Ann", "👋 Ann"]))
RANGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from(STYLES)), max_size=110)


def ranged(value: str, ranges: list[tuple[int, int, Any]]) -> Text:
    """A text with ranges of the user's own."""
    return Text(value, [Decoration(start, end, style=style) for start, end, style in ranges])


def attempt(make: Any, *given_to: Any) -> Any:
    """What is made, or the named refusal."""
    try:
        return make(*given_to)
    except ReplyError as refused:
        return refused


def fragments(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What can be made of texts: styles around them, animations, one after another."""
    style = st.sampled_from([bold, italic, strikethrough, underline])
    animation = st.sampled_from(get_args(Animation))
    return st.one_of(
        st.builds(attempt, style, inner, inner),
        st.builds(lambda one, name: attempt(animated, one, name), inner, animation),
        st.builds(lambda one, other: attempt(lambda: bold("x") + one + other), inner, inner),
    ).map(lambda one: "refused" if isinstance(one, ReplyError) else one)


TEXTS = st.recursive(
    WORDS | STICKERS | MENTIONS | st.builds(attempt, st.just(ranged), WORDS, RANGES),
    fragments,
    max_leaves=6,
)
PARTS = st.one_of(
    TEXTS,
    WORDS.filter(bool).map(Markdown),
    st.lists(st.sampled_from(["**a** ", "*b", "_", "~~", "\n- ", "`", "[x](https://e.co)"]), min_size=1, max_size=250)
    .map("".join)
    .map(Markdown),
    st.sampled_from(["example.com", "cdn.linqapp.com"]).map(lambda host: Media(url=f"https://{host}/a.png")),
    st.sampled_from(IMAGES).map(lambda one: Media(attachment_id=one)),
    st.just(Link("https://example.com")),
    st.just(AppCard(name="Chess", team_id="A1B2C3D4E5", bundle_id="com.example.chess", caption="Your move")),
    st.just(AppClip("https://example.com/clip")),
)
CIRCUMSTANCES = st.builds(
    Circumstances,
    message=st.none() | st.just(INBOUND),
    service=st.sampled_from([None, "iMessage", "RCS", "SMS"]),
    is_group=st.booleans(),
)
MANNERS = st.fixed_dictionaries(
    {},
    optional={
        "effect": st.sampled_from([*EFFECTS, "confeti"]),
        "thread": st.sampled_from(["first", "every", "never"]),
        "reply_to": st.sampled_from([INBOUND, (INBOUND, 2), "no id of Linq's", ("", 1)]),
        "preferred_service": st.sampled_from(["iMessage", "RCS", "SMS", "sms"]),
    },
)


@given(st.lists(PARTS, max_size=50), MANNERS, CIRCUMSTANCES)
def test_a_reply_is_refused_by_name_or_linq_takes_all_of_it(
    parts: list[Any], manner: dict[str, Any], around: Circumstances
) -> None:
    """No reply that can be built becomes a request that the emulator, a witness of its own, refuses."""
    answering = Answering(namespace="bot", event_id="e1", handler="any", chat_id=CHAT, around=around, now_ms=1_000)
    assert all(str(part) for part in parts if isinstance(part, ReplyError))
    reply = attempt(lambda: Reply(*(part for part in parts if part and not isinstance(part, ReplyError)), **manner))
    if isinstance(reply, ReplyError):
        assert str(reply)
        event("refused when it is built")
        return
    frozen = attempt(lambda: freeze([reply], answering))
    if isinstance(frozen, ReplyError):
        assert "bubbles; at most 100" in str(frozen)
        event("too many bubbles")
        return

    event("sent" if frozen.items else "refused when it is to be sent")
    assert frozen.items or frozen.dead
    assert all(letter.reason for letter in frozen.dead)
    for item in frozen.items:
        for request in filter(None, (item.request, item.plain)):
            read_content(json.loads(request.body), VAULT, people=(LINE, ANN), is_group=around.is_group)
