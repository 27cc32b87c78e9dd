"""an error of redis-py -> an error of the store.

Whatever may be over in a while is `StoreUnavailable`; what would fail again is a `StoreError` that is also logged.
"""

from __future__ import annotations

import re
import ssl

import structlog
from redis import exceptions

from linqbot.errors import StoreError, StoreUnavailable

_log = structlog.get_logger("linqbot.store")

# The first words of error replies that pass (redis.io, "Error replies"; the scripting page for BUSY).
_PASSING = frozenset(
    {
        "BUSY",
        "CLUSTERDOWN",
        "LOADING",
        "MASTERDOWN",
        "MISCONF",
        "NOREPLICAS",
        "OOM",
        "READONLY",
        "TRYAGAIN",
        "UNKILLABLE",
    }
)
# Redis 6.2 reports an error inside a script as `ERR Error running script ...: -OOM ...`.
_INSIDE = re.compile(r"-([A-Z]+) ")

TLS_REMEDY = (
    "the certificate of the Redis server cannot be verified; set LINQBOT_REDIS_TLS to the path of its CA file, "
    "or to 'insecure' to accept any certificate"
)


def store_error(error: BaseException, verb: str) -> StoreError:
    """What to raise for an error that came out of redis-py while `verb` ran."""
    if untrusted(error):
        return StoreUnavailable(f"{verb}: {TLS_REMEDY}")
    if isinstance(error, (exceptions.ConnectionError, exceptions.TimeoutError, OSError)):
        return StoreUnavailable(f"{verb}: Redis does not answer ({type(error).__name__}); try again later")
    code = _code(error)
    if code in _PASSING:
        return StoreUnavailable(f"{verb}: Redis cannot do it now ({code}); try again later")
    _log.error("redis refused a script", verb=verb, code=code, said=str(error)[:200])
    return StoreError(
        f"{verb}: Redis refused the script ({code or type(error).__name__}); is something else using its keys?"
    )


def untrusted(error: BaseException | None) -> bool:
    """Whether the error's cause is a certificate that is not trusted."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _code(error: BaseException) -> str:
    text = str(error)
    if inside := _INSIDE.search(text):
        return inside[1]
    first = getattr(error, "status_code", None) or text.partition(" ")[0]
    return first if re.fullmatch("[A-Z]+", first) else ""
