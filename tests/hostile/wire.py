"""bytes -> a socket -> bytes. Speaks to a server as no client library would."""

from __future__ import annotations

import re
import select
import socket
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Self

PATIENCE_S = 30.0


class Wire:
    """One connection, raw."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._heard = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, words: bytes) -> bool:
        """Send bytes; False when the other side hung up."""
        try:
            self._socket.sendall(words)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def finish(self) -> None:
        """Say that nothing more will come; still listen."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Break the connection: the other side gets an error, not an end."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def hears(self, within_s: float) -> bool:
        """Whether there is something to read, or an end, within a time."""
        return bool(select.select([self._socket], [], [], within_s)[0])

    def status(self, *, with_body: bool = True) -> int:
        """The status of the next answer, its body read; 0 when the connection ended without one."""
        while not (answer := _ANSWER.match(self._heard)):
            if not self._listen():
                return 0
        length = _LENGTH.search(answer[0])
        whole = answer.end() + (int(length[1]) if length and with_body else 0)
        while len(self._heard) < whole and self._listen():
            pass
        self._heard = self._heard[whole:]
        return int(answer[1])

    def rest(self) -> bytes:
        """Everything until the other side hangs up."""
        while self._listen():
            pass
        return self._heard

    def _listen(self) -> bool:
        try:
            heard = self._socket.recv(65_536)
        except ConnectionResetError:
            return False
        self._heard += heard
        return bool(heard)


_ANSWER = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n", re.DOTALL)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def head(method: str = "POST", target: str = "/webhooks/linq", **headers: object) -> bytes:
    """The head of a request, with a Host; underscores in names are dashes."""
    named = {"host": "bot.test", **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def request(body: bytes, proof: Mapping[str, str]) -> bytes:
    """A whole webhook, as Linq sends it."""
    headers = {name.replace("-", "_"): value for name, value in proof.items()}
    return head(content_length=len(body), **headers) + body


def raw_request(body: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A request with these headers, byte for byte, legal or not."""
    named = [(b"host", b"bot.test"), *headers, (b"content-length", str(len(body)).encode())]
    lines = [b"POST /webhooks/linq HTTP/1.1", *(name + b": " + value for name, value in named), b"", b""]
    return b"\r\n".join(lines) + body
