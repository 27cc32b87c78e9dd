"""Every error linqbot raises, drawn as a tree.

LinqbotError
├── ConfigurationError          a setting is missing or wrong: the program cannot start as asked
│   └── LayoutError             the store was written by a newer linqbot, or belongs to something else
├── RegistrationError           a handler, service or router cannot be registered as written
├── ReplyError                  a reply that cannot be built, or that Linq would refuse
├── HandlerError                a handler did not come to an end
│   ├── HandlerFailed           it raised; the cause is `__cause__`
│   └── HandlerTimeout          it ran longer than it may
├── SignatureError              a webhook that is not proven to come from Linq
├── PayloadError                a genuine webhook that cannot be read
├── StoreError
│   ├── StoreUnavailable        the store cannot answer now; the same call may succeed later
│   └── LeaseLost               somebody else holds the lane now; what was about to be stored is not
└── LinqError                   talking to Linq went wrong
    ├── TransportError          no answer
    │   ├── NotSent             the request did not leave: it is safe to send again
    │   └── OutcomeUnknown      the request may have arrived: only the same key and body may be sent again
    ├── FileError               a file did not go up to Linq's file host, or did not come down from there
    │   ├── ForeignHost         its address is none to fetch from: see LINQBOT_MEDIA_HOSTS
    │   ├── FileTooLarge        it has more bytes than allowed
    │   ├── FileGone            it is not there any more, and there is no fresh address
    │   ├── FileChanged         it changed on the disk while it was uploaded
    │   └── FileTimeout         it took longer than it may
    └── ApiError                Linq answered with an error; see its subclasses in `linqbot.client.errors`

Messages say what happened, to which id, and what to do next; they never hold message text, phone numbers or secrets.
"""

from __future__ import annotations

from collections.abc import Awaitable


class LinqbotError(Exception):
    """The root: catch this to catch all of linqbot's own errors."""


class ConfigurationError(LinqbotError):
    """A setting is missing or wrong, so the program cannot start as asked."""


class LayoutError(ConfigurationError):
    """The store holds a layout that this version of linqbot must not touch."""


class RegistrationError(LinqbotError):
    """A handler, service or router cannot be registered as written; raised where it is written."""


class ReplyError(LinqbotError):
    """A reply cannot be built, or Linq would refuse it; retrying does not help."""


class HandlerError(LinqbotError):
    """A handler did not come to an end; `handler` is its name, `attempts` its own limit of tries (None: the bot's)."""

    def __init__(self, message: str, *, handler: str, attempts: int | None = None) -> None:
        super().__init__(message)
        self.handler = handler
        self.attempts = attempts


class HandlerFailed(HandlerError):
    """A handler raised; the exception is `__cause__`."""


class HandlerTimeout(HandlerError):
    """A handler ran longer than it may; `thread` is its run if it could not be stopped: a plain `def` in its thread, or a
    coroutine that swallows its cancellation.
    """

    def __init__(
        self, message: str, *, handler: str, attempts: int | None = None, thread: Awaitable[object] | None = None
    ) -> None:
        super().__init__(message, handler=handler, attempts=attempts)
        self.thread = thread


class SignatureError(LinqbotError):
    """A webhook is not proven to come from Linq; `reason` is a fixed word for counters, never the header's content."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"webhook signature refused: {reason}")
        self.reason = reason


class PayloadError(LinqbotError):
    """A genuine webhook cannot be read as an event; it is kept in the dead letters."""


class StoreError(LinqbotError):
    """The store refused or broke."""


class StoreUnavailable(StoreError):
    """The store cannot answer now (down, slow, full, failing over); nothing may be assumed about the call."""


class LeaseLost(StoreError):
    """The lane is held under another token, so this turn must stop; whoever took over runs it again."""


class LinqError(LinqbotError):
    """Talking to Linq went wrong."""


class TransportError(LinqError):
    """A request got no answer."""


class NotSent(TransportError):
    """A request did not leave this machine, so sending it again cannot repeat it."""


class OutcomeUnknown(TransportError):
    """A request may have reached Linq: send again only with the same idempotency key and body."""


class FileError(LinqError):
    """A file did not go up or come down; `file_id` is its id at Linq, if it has one. The same call may pass later."""

    def __init__(self, message: str, *, file_id: str | None = None) -> None:
        super().__init__(message)
        self.file_id = file_id


class ForeignHost(FileError):
    """A file's address is none that files are fetched from; nothing was asked there."""


class FileTooLarge(FileError):
    """A file has more bytes than allowed; what came until then is thrown away."""


class FileGone(FileError):
    """A file is not there any more, and there is no fresh address."""


class FileChanged(FileError):
    """A file changed on the disk between looking at it and uploading it."""


class FileTimeout(FileError):
    """A file took longer than it may."""


class ApiError(LinqError):
    """Linq answered with an error status.

    `status` is the HTTP status, `code` Linq's own (`None` when the body was not Linq's), `trace_id` what Linq's support
    asks for, `retry_after` seconds on a 429. Source: linq-api-v3.md section 2.
    """

    def __init__(
        self, message: str, *, status: int, code: int | None, trace_id: str | None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.trace_id = trace_id
        self.retry_after = retry_after
