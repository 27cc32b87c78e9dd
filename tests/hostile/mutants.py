"""recorded webhooks -> webhooks that nobody recorded. Linq's own bodies with something wrong anywhere in them."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from linqbot.events import REGISTRY
from tests.hostile.letters import RECORDED

NASTY = [
    "",
    " ",
    "\x00",
    "\ud83d",
    "\udc00\ud800",
    "\u202e",
    "x" * 5_000,
    "null",
    "NaN",
    "1e999",
    "-1",
    "..",
    "a/b?c#d",
    "{}",
    "+12025550100",
    "0000-00-00T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "0001-01-01T00:00:00+23:59",
    "2026-02-05T19:31:13.736444093Z",
    "message.received",
    "text",
    "outbound",
]
NUMBERS = [0, -1, 1.5, -0.0, 2**31, 2**63, 10**400, 1e308, float("nan"), float("inf")]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(),
    st.floats(),
    st.sampled_from(NASTY),
    st.text(st.characters(codec=None), max_size=30),
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NASTY) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Any JSON, and what Python's encoder writes beside it."""

_SUBTREES = [body["data"] for body in RECORDED.values()]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside a JSON value, outermost first."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        found += places(one, (*path, key))
    return found


@st.composite
def mutants(draw: st.DrawFn) -> dict[str, Any]:
    """A recorded body with up to five changes: replaced, removed, wrapped, doubled or swapped for another event's."""
    body: dict[str, Any] = deepcopy(draw(st.sampled_from(list(RECORDED.values()))))
    body["event_id"] = str(draw(st.uuids()))
    for _ in range(draw(st.integers(1, 5))):
        *way, last = draw(st.sampled_from(places(body)))
        holder: Any = body
        for step in way:
            holder = holder[step]
        _change(draw, holder, last)
    return body


def _change(draw: st.DrawFn, holder: Any, last: Any) -> None:
    kind = draw(st.sampled_from(["replace", "remove", "wrap", "double", "swap", "retype"]))
    if kind == "replace":
        holder[last] = draw(anything)
    elif kind == "remove":
        del holder[last]
    elif kind == "wrap":
        holder[last] = [holder[last]]
    elif kind == "double":
        holder[last] = {"value": holder[last], str(last): holder[last]}
    elif kind == "swap":
        holder[last] = deepcopy(draw(st.sampled_from(_SUBTREES)))
    else:
        holder[last] = draw(st.sampled_from(sorted(REGISTRY)))


foreign = st.fixed_dictionaries(
    {
        "event_type": st.sampled_from(sorted(REGISTRY)) | scalars,
        "event_id": st.uuids().map(str) | scalars,
        "data": anything,
    },
    optional={"created_at": anything, "webhook_version": anything, "trace_id": anything},
)
"""A body of Linq's shape with nothing of Linq's in it."""


def written(body: Any) -> bytes:
    """The bytes of a body; half surrogate pairs are written as escapes."""
    return json.dumps(body).encode()
