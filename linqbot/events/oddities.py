"""a value and the JSON that it was read from -> the names of the fields in which Linq contradicts its documentation.

Such a field has its default and what was sent stays in `Event.raw`; here is only said where that happened. Fields that
nobody knows yet are no contradiction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from linqbot.events.wire import Words


def oddities(value: Words, given: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """The fields, as `sender.handle` or `parts`, that could not be read as they are documented; mostly none."""
    for name, field in type(value).model_fields.items():
        sent = given.get(field.validation_alias if isinstance(field.validation_alias, str) else name)
        if sent is not None:
            yield from _odd(getattr(value, name), sent, f"{at}{name}")


def _odd(read: object, sent: object, at: str) -> Iterator[str]:
    if isinstance(read, Words):
        yield from oddities(read, sent, f"{at}.") if isinstance(sent, Mapping) else (at,)
    elif isinstance(read, tuple) and isinstance(sent, list):
        if len(read) != len(sent):
            yield at
        for one, given in zip(read, sent, strict=False) if len(read) == len(sent) else ():
            if isinstance(one, Words) and isinstance(given, Mapping):
                yield from oddities(one, given, f"{at}.")
    elif sent and not read:
        yield at
