"""a function's signature -> what it needs. Read when it is registered, so that no mistake waits for the first message."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from linqbot.errors import RegistrationError
from linqbot.events import Chat, Event
from linqbot.handling.delivery import Delivery
from linqbot.handling.turn import Turn

Plain = Callable[..., Any]

REMEDY = (
    "annotate it with Message or another event, Chat or Turn, name it after a group of regex=, "
    "or provide its type with provide()"
)
_GROUP_TYPES: tuple[type, ...] = (str, int, float)


class Origin(Enum):
    """Where the value of a parameter comes from."""

    EVENT = "event"
    CHAT = "chat"
    TURN = "turn"
    DELIVERY = "delivery"
    GROUP = "group"
    SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One parameter: what it is called, what it wants, and where that comes from."""

    name: str
    origin: Origin
    kinds: tuple[Any, ...]
    """The types that its annotation allows, without None."""
    may_be_none: bool = False
    has_default: bool = False

    def convert(self, text: str) -> object:
        """The text of a group as this parameter wants it. Raises `ValueError` if it is none."""
        return self.kinds[0](text)


def needs_of(function: Plain, *, what: str, groups: frozenset[str] = frozenset()) -> tuple[Need, ...]:
    """What to call a function with, in order. Raises `RegistrationError`, naming `what`, the parameter and the remedy.

    Parameters with a default that nothing can fill are left to it.
    """
    parameters = _signature(function, what=what)
    hints = _hints(function, {name: parameter.annotation for name, parameter in parameters.items()}, what=what)
    needs = (_need(parameter, hints, what=what, groups=groups) for parameter in parameters.values())
    return tuple(need for need in needs if need is not None)


def returned_by(function: Plain) -> object:
    """The annotation of what a function returns; `inspect.Parameter.empty` if there is none or it cannot be read."""
    annotation = inspect.signature(function).return_annotation
    if not isinstance(annotation, str):
        return annotation
    try:
        return _hints(function, {"return": annotation}, what="")["return"]
    except RegistrationError:
        return inspect.Parameter.empty


def _signature(function: Plain, *, what: str) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError, NameError) as error:
        raise RegistrationError(f"{what}: its parameters cannot be read ({error}); use a plain function") from error


def _hints(function: Plain, annotations: Mapping[str, object], *, what: str) -> Mapping[str, Any]:
    """Annotations as types, also those that `from __future__ import annotations` left as text."""
    written = {name: kind for name, kind in annotations.items() if kind is not inspect.Parameter.empty}
    noted = types.SimpleNamespace(__annotations__=written)
    try:
        return typing.get_type_hints(noted, globalns=_home_of(function), localns=_locals_around(function))
    except Exception as error:
        raise RegistrationError(
            f"{what}: an annotation cannot be read ({error}); import what it names at run time, "
            "not under TYPE_CHECKING, and define it above"
        ) from error


def _home_of(function: Plain) -> dict[str, Any]:
    inner = inspect.unwrap(function)
    own: dict[str, Any] | None = getattr(inner, "__globals__", None)
    return vars(sys.modules[inner.__module__]) if own is None else own


def _locals_around(function: Plain) -> dict[str, Any]:
    """The names beside a function that is defined and registered inside another one, as in a test."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("linqbot."):
        frame = frame.f_back
    own_name = getattr(function, "__qualname__", "")
    if frame is None or not own_name.startswith(f"{frame.f_code.co_qualname}.<locals>."):
        return {}
    return dict(frame.f_locals)


def _need(parameter: inspect.Parameter, hints: Mapping[str, Any], *, what: str, groups: frozenset[str]) -> Need | None:
    where = f"{what}: parameter {parameter.name!r}"
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        raise RegistrationError(f"{where} takes any number of values, which nothing can fill; name what it needs")
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise RegistrationError(f"{where} is positional-only, but values are passed by name; drop the / behind it")
    has_default = parameter.default is not inspect.Parameter.empty
    if parameter.name not in hints:
        if has_default:
            return None
        raise RegistrationError(f"{where} has no annotation, so nothing can fill it; {REMEDY}")
    kinds, may_be_none = _kinds(hints[parameter.name])
    origin = _origin(parameter.name, kinds, groups)
    if origin is None:
        if has_default:
            return None
        raise RegistrationError(_unfillable(where, hints[parameter.name], groups))
    return Need(name=parameter.name, origin=origin, kinds=kinds, may_be_none=may_be_none, has_default=has_default)


def _kinds(hint: Any) -> tuple[tuple[Any, ...], bool]:
    """The members of a union without None, and whether None is one of them."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return (hint,), False
    members = typing.get_args(hint)
    return tuple(kind for kind in members if kind is not types.NoneType), types.NoneType in members


def _origin(name: str, kinds: tuple[Any, ...], groups: frozenset[str]) -> Origin | None:
    if all(isinstance(kind, type) and issubclass(kind, Event) for kind in kinds):
        return Origin.EVENT
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    if kind is Chat:
        return Origin.CHAT
    if kind is Turn:
        return Origin.TURN
    if kind is Delivery:
        return Origin.DELIVERY
    if kind in _GROUP_TYPES:
        return Origin.GROUP if name in groups else None
    return Origin.SERVICE if _can_be_provided(kind) else None


def _can_be_provided(kind: Any) -> bool:
    plain = typing.get_origin(kind) or kind
    return isinstance(plain, type) and plain.__module__ not in ("builtins", "typing", "types")


def _unfillable(where: str, hint: Any, groups: frozenset[str]) -> str:
    shown = getattr(hint, "__name__", None) or str(hint)
    if hint in _GROUP_TYPES and groups:
        return f"{where} is of type {shown}, but regex= has no group of that name; its groups are {sorted(groups)}"
    return f"{where} is of type {shown}, which nothing can fill; {REMEDY}"
