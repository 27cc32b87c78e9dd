"""an endpoint and its values -> Request -> typed answer. Each call of `bot.client` is a row of a table, asked by `Account`.

Nothing is repeated here: whoever calls decides. What is raised is the `Refusal` that Linq answered with, `NotSent` or
`OutcomeUnknown` when no answer came, and `LinqError` when a success cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ValidationError

from linqbot.client.errors import error_of
from linqbot.errors import ConfigurationError, LinqError, NotSent
from linqbot.protocol.answer import Answer
from linqbot.records import Request

MOST_BYTES = 8 * 1024 * 1024
"""Of a longer answer only the beginning is read; 100 messages of 10,000 characters fit."""

_UNSAFE = ("", ".", "..")


class Sender(Protocol):
    """What carries a request to Linq: `client.http.LinqClient`."""

    async def send(self, request: Request, *, most_bytes: int = ...) -> Answer:
        """One exchange, whatever the answer's status. Raises `NotSent` or `OutcomeUnknown`."""
        ...


class Page(Protocol):
    """Some of many things, and where the next ones begin."""

    @property
    def next_cursor(self) -> str | None:
        """Ask with it for more; None: there are no more."""
        ...


M = TypeVar("M", bound=BaseModel)
P = TypeVar("P", bound=Page)


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[M]):
    """A method and a path of Linq's, `{}` in place of each id, and what it answers with."""

    verb: str
    path: str
    answer: type[M]


@dataclass(frozen=True, slots=True)
class Deed:
    """A method and a path of Linq's that answers with nothing but its status."""

    verb: str
    path: str


class Account:
    """Asks Linq in the name of one account; without a `sender` it is not open and refuses."""

    def __init__(self, sender: Sender | None = None) -> None:
        self.sender = sender

    async def ask(
        self,
        endpoint: Endpoint[M],
        *ids: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> M:
        """The answer of an endpoint, typed."""
        request = request_of(endpoint, *ids, body=body, query=query)
        return read(request, await self.answered(request), endpoint.answer)

    async def do(self, deed: Deed, *ids: str, body: Mapping[str, object] | None = None) -> None:
        """Have something done that has no answer to read."""
        await self.answered(request_of(deed, *ids, body=body))

    async def pages(self, endpoint: Endpoint[Any], *ids: str, query: Mapping[str, object]) -> AsyncIterator[Any]:
        """One page after the other, each asked for when the one before is used up; ends when a cursor comes again."""
        told: set[str] = set()
        cursor = query.get("cursor")
        while True:
            page = await self.ask(endpoint, *ids, query={**query, "cursor": cursor})
            yield page
            cursor = page.next_cursor
            if not cursor or cursor in told:
                return
            told.add(cursor)

    async def answered(self, request: Request) -> Answer:
        """The answer to a request, if it is a success. Raises `ConfigurationError` while the client is not open."""
        if self.sender is None:
            raise ConfigurationError(
                "the client is not open: start the bot with `async with bot:`, or write `async with bot.client as linq:`"
            )
        answer = await self.sender.send(request, most_bytes=MOST_BYTES)
        if not 200 <= answer.status < 300:
            raise error_of(answer.status, answer.headers, answer.body)
        return answer


def request_of(
    target: Endpoint[Any] | Deed,
    *ids: str,
    body: Mapping[str, object] | None = None,
    query: Mapping[str, object] | None = None,
) -> Request:
    """The request to an endpoint; of the query what is None is left out. Raises `NotSent` for an id that is none."""
    if any(one in _UNSAFE for one in ids):
        raise NotSent(
            f"{target.verb} {target.path} did not leave: an id in its path is empty; pass the id that Linq gave"
        )
    path = target.path.format(*(quote(one, safe="") for one in ids))
    asked = urlencode([(name, value) for name, value in (query or {}).items() if value is not None], doseq=True)
    return Request(
        method=target.verb,
        path=f"{path}?{asked}" if asked else path,
        body=None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
    )


def given(**fields: object) -> dict[str, object]:
    """The fields that were given, None left out; a `_` at the end of a name is not Linq's."""
    return {name.rstrip("_"): value for name, value in fields.items() if value is not None}


def read(request: Request, answer: Answer, model: type[M]) -> M:
    """A success as its type. Raises `LinqError`, which names the fields that cannot be read and never their content."""
    try:
        return model.model_validate_json(answer.body)
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
    path = request.path.partition("?")[0]
    raise LinqError(
        f"{request.method} {path} was answered {answer.status} with a body that cannot be read: {fields}; "
        "check that LINQ_API_V3_BASE_URL is Linq's"
    )
