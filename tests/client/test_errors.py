"""Linq's refusals have names, numbers and a remedy, and never repeat what was sent."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linqbot.client import errors
from linqbot.client.errors import (
    Blocked,
    ChatGone,
    ChatNotReady,
    Conflict,
    Forbidden,
    InvalidRequest,
    LineIneligible,
    MediaRefused,
    NotAllowed,
    NotFound,
    OptedOut,
    RateLimited,
    Refusal,
    ServerTrouble,
    StillProcessing,
    Unauthorized,
    Unexpected,
    Unsupported,
    error_of,
)
from linqbot.errors import ApiError

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "linq"
NAMED = {
    "seed/response.error.1002": (400, 1002, InvalidRequest),
    "seed/response.error.2001": (404, 2001, NotFound),
    "seed/response.error.2004": (401, 2004, Unauthorized),
    "seed/response.error.3006": (500, 3006, ServerTrouble),
    "response.error.1001": (400, 1001, InvalidRequest),
    "response.error.1002": (400, 1002, InvalidRequest),
    "response.error.1002.seed-shape": (400, 1002, InvalidRequest),
    "response.error.1005": (400, 1005, InvalidRequest),
    "response.error.1007": (429, 1007, RateLimited),
    "response.error.2001": (404, 2001, NotFound),
    "response.error.2004": (401, 2004, Unauthorized),
    "response.error.2005": (403, 2005, Forbidden),
    "response.error.2006": (403, 2006, Forbidden),
    "response.error.2008": (403, 2008, NotAllowed),
    "response.error.2009": (409, 2009, ChatNotReady),
    "response.error.2013": (409, 2013, ChatGone),
    "response.error.2015.no-line": (409, 2015, Conflict),
    "response.error.2016": (409, 2016, Unsupported),
    "response.error.2017": (409, 2017, Unsupported),
    "response.error.2024": (403, 2024, OptedOut),
    "response.error.2026": (403, 2026, Blocked),
    "response.error.2027": (403, 2027, LineIneligible),
    "response.error.3006": (500, 3006, ServerTrouble),
    "response.error.4004.check_rcs": (503, 4004, ServerTrouble),
}
RECORDED = {str(file.relative_to(FIXTURES).with_suffix("")) for file in FIXTURES.rglob("response.error.*.json")}


def _answer(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def _body(**error: object) -> bytes:
    return json.dumps({"success": False, "error": error}).encode()


def test_every_recorded_refusal_is_in_the_table() -> None:
    """No recorded error is left without a name."""
    assert set(NAMED) == RECORDED


@pytest.mark.parametrize("name", NAMED)
def test_a_recorded_refusal_has_its_name(name: str) -> None:
    """Each recorded error is raised as its class, with status, code, trace and Linq's own words beside it."""
    status, code, model = NAMED[name]
    stated = json.loads(_answer(name))

    error = error_of(status, {}, _answer(name))

    assert type(error) is model
    assert isinstance(error, ApiError)
    assert (error.status, error.code, error.trace_id) == (status, code, stated.get("trace_id"))
    assert error.linq_message == stated["error"]["message"]
    assert error.doc_url == stated["error"].get("doc_url")


@pytest.mark.parametrize("name", NAMED)
def test_the_text_of_a_refusal_tells_what_to_do_and_quotes_nothing(name: str) -> None:
    """The message holds status and code, and never Linq's sentence, which may quote the request."""
    status, code, _ = NAMED[name]

    error = error_of(status, {}, _answer(name))

    assert str(error).startswith(f"Linq answered {status}, code {code}: ")
    assert error.linq_message is not None
    assert error.linq_message not in str(error) + repr(error)


@pytest.mark.parametrize(
    ("status", "code", "model"),
    [
        (404, 2007, StillProcessing),
        (400, 5004, MediaRefused),
        (413, 5001, InvalidRequest),
        (500, 5001, ServerTrouble),
        (422, 4005, InvalidRequest),
        (400, 1006, Unsupported),
        (409, 1006, Unsupported),
        (503, 2008, ServerTrouble),
        (418, 9999, InvalidRequest),
        (403, 9999, Forbidden),
        (404, 9999, NotFound),
        (409, 9999, Conflict),
        (401, None, Unauthorized),
        (429, None, RateLimited),
        (502, None, ServerTrouble),
        (302, None, Unexpected),
        (199, None, Unexpected),
    ],
)
def test_an_unrecorded_refusal_goes_by_code_then_by_status(status: int, code: int | None, model: type[Refusal]) -> None:
    """Documented codes name the error, others leave it to the status, and 5xx is always trouble."""
    assert type(error_of(status, {}, _body(code=code))) is model


@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad Gateway</html>", b"[]", b"null", b'{"error":"no"}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_not_linqs_is_survived(body: bytes) -> None:
    """A page of the edge, half a body or none is named by its status."""
    error = error_of(502, {"x-trace-id": "abc"}, body)

    assert type(error) is ServerTrouble
    assert (error.code, error.linq_message, error.trace_id) == (None, None, "abc")


@pytest.mark.parametrize(
    ("headers", "stated", "seconds"),
    [
        ({"retry-after": "45"}, None, 45.0),
        ({"Retry-After": "45"}, 7, 45.0),
        ({}, 7, 7.0),
        ({"retry-after": "0"}, None, 0.0),
        ({"retry-after": "1.5"}, None, 1.5),
        ({"retry-after": "99999999999"}, None, 86_400.0),
        ({}, 10**400, None),
        ({}, 10**9, 86_400.0),
        ({"retry-after": "-5"}, 7, 7.0),
        ({"retry-after": "soon"}, 7, 7.0),
        ({"retry-after": "nan"}, None, None),
        ({"retry-after": "inf"}, None, None),
        ({}, True, None),
        ({}, [5], None),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT", "date": "Mon, 23 Nov 2026 12:00:00 GMT"}, None, 90.0),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT"}, None, None),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT", "date": "Mon, 23 Nov 2026 12:00:00 GMT"}, None, None),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT", "date": "yesterday"}, None, None),
    ],
)
def test_how_long_to_wait_is_read_where_it_makes_sense(
    headers: dict[str, str], stated: object, seconds: float | None
) -> None:
    """Seconds or a date in the header, else seconds in the body; nonsense is left out, too much is cut to a day."""
    assert error_of(429, headers, _body(code=1007, retry_after=stated)).retry_after == seconds


@pytest.mark.parametrize("trace", ["a b", "x" * 65, "+12025550123", 5, "", "a\nb"])
def test_a_trace_that_is_none_is_left_out(trace: object) -> None:
    """What is not an id does not get into the error's text."""
    body = json.dumps({"error": {"code": 2001}, "trace_id": trace}).encode()

    assert error_of(404, {}, body).trace_id is None


@pytest.mark.parametrize(
    "model", [model for model in vars(errors).values() if isinstance(model, type) and issubclass(model, Refusal)]
)
def test_every_name_is_in_the_tree(model: type[Refusal]) -> None:
    """One `except ApiError` catches them all, and the module's drawing names each."""
    assert issubclass(model, ApiError)
    assert f"── {model.__name__} " in (errors.__doc__ or "")


@given(
    st.integers(-1, 700),
    st.dictionaries(st.sampled_from(["retry-after", "date", "x-trace-id"]), st.text(max_size=40)),
    st.binary(max_size=60)
    | st.recursive(st.none() | st.integers() | st.text(max_size=9) | st.floats(), st.lists).map(
        lambda value: _body(code=value, retry_after=value, message=value)
    ),
)
@settings(max_examples=300, deadline=None)
def test_any_answer_gives_an_error(status: int, headers: dict[str, str], body: bytes) -> None:
    """Whatever came back, the result is a refusal with a sane wait."""
    error = error_of(status, headers, body)

    assert error.status == status
    assert error.retry_after is None or 0 <= error.retry_after <= 86_400
