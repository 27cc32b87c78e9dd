"""Effects, as they leave or are refused: one row for each rule, each with its source in linq-api-v3.md."""

from __future__ import annotations

from typing import Any

import pytest

from linqbot.emulator import rules
from linqbot.errors import ReplyError
from linqbot.protocol.answering import Answering
from linqbot.protocol.outbound import freeze
from linqbot.protocol.threading import Circumstances
from linqbot.replies import Effect, Media, Reply
from linqbot.replies.effect import EFFECTS
from tests.protocol.wire import message_of

SCREEN: Any = (
    *("confetti", "fireworks", "lasers", "sparkles", "celebration", "hearts", "love", "balloons", "happy_birthday"),
    *("echo", "spotlight"),
)
BUBBLE: Any = ("slam", "loud", "gentle", "invisible")
NEWER = Effect("northern_lights", "screen")
PICTURE = Media(url="https://example.com/a.png")

ROWS: list[tuple[str, Reply, str | None, list[str]]] = [
    *((f"6.2 screen: {name}", Reply("a", effect=name), "iMessage", [f"screen {name}"]) for name in SCREEN),
    *((f"6.2 bubble: {name}", Reply("a", effect=name), "iMessage", [f"bubble {name}"]) for name in BUBBLE),
    ("6.2 names are not enumerated: a newer one", Reply("a", effect=NEWER), "iMessage", ["screen northern_lights"]),
    ("6.2 with its kind said, too", Reply("a", effect=Effect("slam", "bubble")), "iMessage", ["bubble slam"]),
    ("6.2 one per message: many parts", Reply("a", PICTURE, "b", effect="echo"), "iMessage", ["screen echo"]),
    ("6.2 screen: once, with the first of several", Reply("a", "b", effect="echo"), "iMessage", ["screen echo", ""]),
    ("6.2 bubble: with each", Reply("a", "b", effect="loud"), "iMessage", ["bubble loud", "bubble loud"]),
    ("6.2 ignored on RCS, 9.3", Reply("a", effect="love"), "RCS", [""]),
    ("6.2 ignored on SMS, 9.3", Reply("a", effect="love"), "SMS", [""]),
    ("6.2 ignored, a newer one, too", Reply("a", effect=NEWER), "SMS", [""]),
    ("6.2 preferred_service: never as iMessage", Reply("a", effect="love", preferred_service="RCS"), None, [""]),
    ("6.2 of this message alone", Reply("a", effect="love", preferred_service="SMS"), "iMessage", [""]),
    (
        "6.2 preferred_service: iMessage without fallback",
        Reply("a", effect="love", preferred_service="iMessage"),
        "SMS",
        ["screen love"],
    ),
    ("5 the service may be null", Reply("a", effect="love"), None, ["screen love"]),
]


@pytest.mark.parametrize(("reply", "service", "sent"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_an_effect_leaves_where_it_is_shown(reply: Reply, service: str | None, sent: list[str]) -> None:
    """With its kind, once for each message; where the service has none the words go out all the same."""
    around = Circumstances(service=service)
    answering = Answering(namespace="bot", event_id="e1", handler="h", chat_id="c1", around=around, now_ms=1)

    effects = [message_of(item).get("effect") for item in freeze([reply], answering).items]

    assert ["" if one is None else f"{one['type']} {one['name']}" for one in effects] == sent


def test_there_are_eleven_of_the_screen_and_four_of_the_bubble() -> None:
    """6.2, in linqbot and in the emulator, which has its own table."""
    assert (len(SCREEN), len(BUBBLE)) == (11, 4)
    assert {**dict.fromkeys(SCREEN, "screen"), **dict.fromkeys(BUBBLE, "bubble")} == dict(EFFECTS)
    assert {kind: (*names,) for kind, names in rules.EFFECTS.items()} == {"screen": SCREEN, "bubble": BUBBLE}


REFUSED: list[tuple[str, Any, str]] = [
    (
        "6.2 unknown name",
        lambda: Reply("a", effect="secret"),
        "^effect is not one .*; choose one of confetti, .*invisible",
    ),  # type: ignore[arg-type]  # wrong on purpose
    ("6.2 a near miss", lambda: Reply("a", effect="confeti"), "did you mean 'confetti'"),  # type: ignore[arg-type]  # wrong on purpose
    ("6.2 one per message", lambda: Reply("a", effect=["slam"]), "^effect .* is of type list; choose one of"),  # type: ignore[arg-type]  # wrong on purpose
    ("6.2 a name", lambda: Effect("", "screen"), "the name of an Effect is a word in lower case"),
    (
        "6.2 a name that can be one",
        lambda: Effect("Secret!", "bubble"),
        "the name of an Effect is a word in lower case",
    ),
    ("6.2 two types", lambda: Effect("slam", "both"), "the type of an Effect is one of screen, bubble"),  # type: ignore[arg-type]  # wrong on purpose
    ("6.2 type and name", lambda: Effect("slam", "screen"), "the effect slam is one of type bubble, not screen"),
]


@pytest.mark.parametrize(("make", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_an_effect_that_linq_does_not_have_is_refused_where_it_is_written(make: Any, said: str) -> None:
    """Which value is wrong, and what is allowed."""
    with pytest.raises(ReplyError, match=said) as caught:
        make()

    assert "ecret" not in str(caught.value)
