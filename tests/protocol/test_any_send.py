"""Any message to somebody new, put together at random: refused by name, or Linq takes all that it becomes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from linqbot.emulator.rules import check_first, read_content
from linqbot.errors import ReplyError
from linqbot.protocol.proactive import Cause, begin
from linqbot.replies import Reply, Send
from tests.protocol.test_any_reply import ANN, CHAT, LINE, MANNERS, PARTS, VAULT, attempt

BOB = "+12025559877"


def reply_of(parts: list[Any], manner: dict[str, Any]) -> Any:
    """A reply of what can be built, or the named refusal."""
    return attempt(lambda: Reply(*(part for part in parts if part and not isinstance(part, ReplyError)), **manner))


REPLIES = st.builds(reply_of, st.lists(PARTS, min_size=1, max_size=6), MANNERS)


@given(
    st.lists(REPLIES, min_size=1, max_size=4),
    st.sampled_from([(ANN,), (ANN, BOB)]),
    st.sampled_from([LINE, None]),
    st.sampled_from([CHAT, None]),
)
def test_a_send_is_refused_by_name_or_linq_takes_all_of_it(
    replies: list[Any], people: tuple[str, ...], line: str | None, chat_id: str | None
) -> None:
    """The first request opens a chat by the rules of first messages, and keys do not depend on what is known."""
    said = [reply for reply in replies if isinstance(reply, Reply)]
    send = attempt(lambda: Send(people, said, key="k"))
    cause = Cause(namespace="bot", event_id="e1", line=line, now_ms=1_000)
    items = send if isinstance(send, ReplyError) else attempt(lambda: begin(send, cause, chat_id=chat_id))
    if isinstance(items, ReplyError):
        assert str(items)
        event("refused")
        return

    event("sent")
    for number, item in enumerate(items):
        for request in filter(None, (item.request, item.plain)):
            content = read_content(
                json.loads(request.body or b""), VAULT, people=(LINE, *people), is_group=len(people) > 1
            )
            if number == 0 and request.path == "/v3/chats":
                check_first(content)
    elsewhere = attempt(lambda: begin(send, cause, chat_id=CHAT))
    assert {item.key for item in items} == {item.key for item in elsewhere}
