"""foreign JSON -> fields. How linqbot reads what Linq sends: what is documented gets a type, everything else is kept.

A field that is missing, null or of another type than documented takes its default and the rest of the value is still
read; unknown fields become attributes. So the only thing that can make a value unreadable is a required id. What was
sent stays in `Event.raw`, untouched.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, OnErrorOmit
from pydantic_core import CoreSchema, core_schema

T = TypeVar("T")


class Or:
    """What a field is when Linq sends something that its type does not allow; must not be mutable."""

    def __init__(self, default: object) -> None:
        self._default = default

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_default_schema(handler(source), default=self._default, on_error="default")


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


Maybe = Annotated[T | None, Or(None)]
"""The documented type, or None for anything else."""

Word = Annotated[str, Or("")]
"""A string, `""` for anything else."""

Flag = Annotated[bool, Or(default=False)]
"""A boolean, False for anything else."""

Index = Annotated[Annotated[int, Field(ge=0)], Or(0)]
"""Counts from 0; 0 for anything else."""

Some = Annotated[tuple[OnErrorOmit[T], ...], Or(())]
"""A list, without the items that are of another type than documented."""

Time = Annotated[
    Annotated[AwareDatetime | Annotated[datetime, AfterValidator(_in_utc)] | None, Field(union_mode="left_to_right")],
    Or(None),
]
"""An instant with its offset; digits beyond microseconds are cut, no offset means UTC (linq-api-v3.md section 1)."""


class Words(BaseModel):
    """A frozen value read from Linq's JSON. Unknown fields are attributes; the repr shows ids and never content."""

    model_config = ConfigDict(
        defer_build=True,  # most of the event types and answers of Linq never come: what comes is built when it first does
        frozen=True,
        extra="allow",
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    shown: ClassVar[tuple[str, ...]] = ("id",)
    """The fields that a repr may show."""

    def __repr_args__(self) -> Iterable[tuple[str, Any]]:
        known = ((name, getattr(self, name, None)) for name in self.shown)
        return [(name, value) for name, value in known if value is not None]
