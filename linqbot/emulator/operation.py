"""HTTP request -> Call -> Answer. What every endpoint of the API has in common: token, trace id, faults, the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from linqbot.emulator.entities import Json
from linqbot.emulator.faults import Fault
from linqbot.emulator.lifecycle import DELIVERY_FAILED, SEND_FAILED, Failure
from linqbot.emulator.linq import Linq
from linqbot.emulator.postman import encode
from linqbot.emulator.problems import DEFAULT_CODES, Problem, envelope
from linqbot.emulator.shapes import moment
from linqbot.emulator.wire import Answer, Wire

_PAGE = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_HAS_BODY = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(slots=True, eq=False, kw_only=True)
class Call:
    """One request to the API, and what became of it."""

    params: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    trace_id: str
    query_string: str = field(default="", repr=False)
    body: Any = field(default=None, repr=False)
    content: IO[bytes] | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    replayed: bool = False
    failure: Failure | None = None

    def every(self, name: str) -> list[str]:
        """Every value of a query parameter."""
        return parse_qs(self.query_string).get(name, [])


Act = Callable[[Linq, Call], Answer]
"""What an endpoint does: synchronous, so that each call is one step of the world; refuses by raising Problem."""


NOTHING = Answer(204)
"""An answer without a body."""


def ok(body: Json, status: int = 200) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, encode(body))


def refusal(problem: Problem, trace_id: str) -> Answer:
    """An answer that says why not."""
    retry = () if problem.retry_after is None else (("retry-after", str(problem.retry_after)),)
    return Answer(problem.status, encode(envelope(problem, trace_id)), retry)


class Operation:
    """An endpoint as an ASGI application; `name` is its operation id in Linq's OpenAPI document."""

    needs_token = True

    def __init__(self, linq: Linq, name: str, act: Act) -> None:
        self.linq = linq
        self._name = name
        self._act = act

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        linq, request, wire = self.linq, Request(scope), Wire(scope, receive, send)
        linq.vault.site = f"{scope['scheme']}://{request.headers.get('host', 'localhost')}"
        call = Call(
            params=request.path_params,
            query=request.query_params,
            query_string=scope["query_string"].decode("latin-1"),
            trace_id=linq.names.trace_id(),
        )
        try:
            await self._serve(request, wire, call)
        finally:
            if call.content is not None:
                call.content.close()

    async def _serve(self, request: Request, wire: Wire, call: Call) -> None:
        path = request.scope["path"][len(request.scope.get("root_path", "")) :]
        problem = await self.read(request, wire, call)
        fault = self.linq.faults.take(self._name, f"{request.method} {path}")
        seen = {
            "at": moment(self.linq.clock.now_ms()),
            "method": request.method,
            "path": path,
            "operation": self._name,
            "idempotency_key": call.idempotency_key,
            "trace_id": call.trace_id,
            "fault": None if fault is None else fault.kind,
            "accepted": False,
            "replayed": False,
            "status": None,
        }
        self.linq.requests.append(seen)
        if fault is None:
            await self._answer(wire, self._perform(call, problem, seen), seen)
        else:
            await self._suffer(fault, wire, call, problem, seen)

    async def read(self, request: Request, wire: Wire, call: Call) -> Problem | None:
        """Check the token and read the body into `call`; returns why not."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self.needs_token and (scheme.lower() != "bearer" or not token.strip()):
            return Problem(401, 2004, "Unauthorized - missing or invalid authentication token")
        if request.method not in _HAS_BODY:
            return None
        try:
            raw = await wire.body()
            call.body = json.loads(raw) if raw.strip() else None
        except Problem as problem:
            return problem
        except (ValueError, RecursionError):
            return Problem(400, 1003, "Request body is not valid JSON")
        call.idempotency_key = request.headers.get("idempotency-key") or _key(call.body)
        return None

    def _perform(self, call: Call, problem: Problem | None, seen: Json) -> Answer:
        try:
            if problem is not None:
                raise problem
            answer = self._act(self.linq, call)
        except Problem as refused:
            return refusal(refused, call.trace_id)
        seen["accepted"], seen["replayed"] = True, call.replayed
        return answer

    async def _answer(self, wire: Wire, answer: Answer, seen: Json) -> None:
        seen["status"] = answer.status
        await wire.answer(_traced(answer, seen))

    async def _suffer(self, fault: Fault, wire: Wire, call: Call, problem: Problem | None, seen: Json) -> None:
        if fault.kind == "failed":
            reason = fault.reason or (DELIVERY_FAILED if fault.delivered_late else SEND_FAILED)
            call.failure = Failure(code=fault.code or 4001, reason=reason, delivered_late=fault.delivered_late)
        true_answer: Answer | None = None
        if fault.after or fault.kind == "failed":
            true_answer = self._perform(call, problem, seen)
        if fault.seconds:
            await self.linq.clock.sleep(fault.seconds)
        if fault.kind == "reset":
            await wire.reset()
        elif fault.kind == "timeout":
            await wire.silence()
        elif fault.kind in ("slow", "failed"):
            await self._answer(wire, true_answer or self._perform(call, problem, seen), seen)
        elif fault.kind == "half_body" and true_answer is not None:
            await wire.half(_traced(true_answer, seen))
        elif fault.kind == "huge_body":
            seen["status"] = fault.status
            await wire.huge(_traced(Answer(fault.status), seen), fault.size)
        else:
            await self._answer(wire, _broken(fault, call.trace_id), seen)


def _broken(fault: Fault, trace_id: str) -> Answer:
    if fault.kind == "html":
        return Answer(fault.status, _PAGE, content_type="text/html; charset=utf-8")
    if fault.kind == "redirect":
        return Answer(fault.status, headers=(("location", fault.location),))
    code = fault.code if fault.code is not None else DEFAULT_CODES.get(fault.status, 3006)
    problem = Problem(fault.status, code, "A fault on request")
    if fault.retry_after is None:
        return refusal(problem, trace_id)
    if not fault.header_only:
        problem.retry_after = fault.retry_after
    return Answer(fault.status, encode(envelope(problem, trace_id)), (("retry-after", str(fault.retry_after)),))


def _traced(answer: Answer, seen: Json) -> Answer:
    headers = (*answer.headers, ("x-trace-id", seen["trace_id"]))
    return replace(answer, headers=headers)


def _key(body: Any) -> str | None:
    message = body.get("message") or body.get("poll") if isinstance(body, dict) else None
    key = message.get("idempotency_key") if isinstance(message, dict) else None
    return key if isinstance(key, str) else None
