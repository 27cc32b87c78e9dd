"""a value and the JSON that it was read from -> the names of the fields in which Linq contradicts its documentation.

Such a field has its default and what was sent stays in `Event.raw`; here is only said where that happened. Fields and
kinds of parts that nobody knows yet are no contradiction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from linqbot.events.part import PART_KINDS, UnknownPart
from linqbot.events.wire import Words

_PLAIN = frozenset({str, bool, int, float, datetime})
"""What has nothing inside; of these, one that is something was read."""


def oddities(value: Words, given: Mapping[str, Any], at: str = "") -> Iterator[str]:
    """The fields, as `sender.handle` or `parts`, that could not be read as they are documented; mostly none."""
    read, names = value.__dict__, _names(type(value))
    for key, sent in given.items():
        if sent is None or (name := names.get(key)) is None:
            continue
        if not (read[name] and type(read[name]) in _PLAIN):
            yield from _odd(read[name], sent, f"{at}{name}")


@cache
def _names(model: type[Words]) -> Mapping[str, str]:
    """Each field's name, by its name in the JSON."""
    fields = model.model_fields.items()
    return {alias if isinstance(alias := field.validation_alias, str) else name: name for name, field in fields}


def _odd(read: object, sent: object, at: str) -> Iterator[str]:
    if isinstance(read, Words) and isinstance(sent, Mapping) and not _is_misshapen(read):
        yield from oddities(read, sent, f"{at}.")
    elif isinstance(read, tuple) and isinstance(sent, list) and len(read) == len(sent):
        for one, given in zip(read, sent, strict=True):
            yield from _odd(one, given, at) if isinstance(one, Words) else ()
    elif isinstance(read, Words | tuple) or (not read and sent != read):
        yield at


def _is_misshapen(read: Words) -> bool:
    """Whether it is a part of a known kind that could not be read as one, or of none at all."""
    return isinstance(read, UnknownPart) and (not read.type or read.type in PART_KINDS)
