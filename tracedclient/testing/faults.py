"""What a faulty server does with a request: the steps of its script.

Each is a frozen value that takes one request, read whole, and its connection.
"""

from __future__ import annotations

import http.client
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracedclient.testing.wire import Request, Wire

_WITHOUT_BODY = (204, 304)
_END = ("connection", "close")
_FRAMING = ("content-length", "transfer-encoding")


class Step(ABC):
    """One thing that a server may do with a request."""

    @abstractmethod
    def play(self, request: Request, wire: Wire) -> bool:
        """Do it; return whether ``wire`` may carry another request."""


@dataclass(frozen=True)
class Answer(Step):
    """A whole answer, after ``delay`` seconds. The connection is kept, as a real server does.

    It says its length, unless ``headers`` do; they may have anything, such as ``Retry-After``, or
    ``Connection: close``, after which it closes.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    delay: float = 0.0

    def __post_init__(self) -> None:
        _check_status(self.status, self.body)
        _check_headers(_fields(self.headers))
        _check_not_negative("delay", self.delay)

    def play(self, request: Request, wire: Wire) -> bool:
        wire.wait(self.delay)
        fields = _fields(self.headers)
        body = b"" if request.method == "HEAD" else self.body
        wire.send(_head(self.status, len(self.body), fields) + body)
        said = [*request.headers.items(), *fields]
        return not any((name.lower(), value.lower()) == _END for name, value in said)


@dataclass(frozen=True)
class Reset(Step):
    """A RST instead of an answer: "Connection reset by peer"."""

    def play(self, request: Request, wire: Wire) -> bool:  # noqa: ARG002 - any request
        wire.reset_on_close()
        return False


@dataclass(frozen=True)
class Close(Step):
    """A FIN instead of an answer: "Remote end closed connection without response"."""

    def play(self, request: Request, wire: Wire) -> bool:  # noqa: ARG002 - any request
        return False


@dataclass(frozen=True)
class Hang(Step):
    """No answer, until the client has left: what a read timeout is for."""

    def play(self, request: Request, wire: Wire) -> bool:  # noqa: ARG002 - any request
        wire.wait_for_the_client_to_leave()
        return False


@dataclass(frozen=True)
class Drip(Step):
    """An answer whose body comes byte by byte: no single read times out, the call should."""

    body: bytes
    seconds_per_byte: float = 0.1
    status: int = 200

    def __post_init__(self) -> None:
        _check_status(self.status, self.body)
        _check_not_negative("seconds_per_byte", self.seconds_per_byte)

    def play(self, request: Request, wire: Wire) -> bool:
        wire.send(_head(self.status, len(self.body)))
        for byte in b"" if request.method == "HEAD" else self.body:
            wire.wait(self.seconds_per_byte)
            wire.send(bytes([byte]))
        return True


@dataclass(frozen=True)
class Garbage(Step):
    """``data`` in place of an answer, then a FIN."""

    data: bytes = b"\x00\xffthis is not HTTP\r\n\r\n"

    def __post_init__(self) -> None:
        _check_bytes("data", self.data)

    def play(self, request: Request, wire: Wire) -> bool:  # noqa: ARG002 - any request
        wire.send(self.data)
        return False


@dataclass(frozen=True)
class Truncated(Step):
    """An answer that announces ``body``, sends the first ``at`` bytes of it, then a FIN."""

    body: bytes
    at: int = 0
    status: int = 200

    def __post_init__(self) -> None:
        _check_status(self.status, self.body)
        if not 0 <= self.at < len(self.body):
            raise ValueError(
                f"at must be from 0 to {len(self.body) - 1}, less than the body's length, "
                f"not {self.at!r}"
            )

    def play(self, request: Request, wire: Wire) -> bool:
        body = b"" if request.method == "HEAD" else self.body[: self.at]
        wire.send(_head(self.status, len(self.body)) + body)
        return False


def _head(status: int, length: int, fields: Sequence[tuple[str, str]] = ()) -> bytes:
    reason = http.client.responses.get(status, "")
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in fields)]
    is_framed = any(name.lower() in _FRAMING for name, _ in fields)
    if status not in _WITHOUT_BODY and not is_framed:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _fields(headers: Mapping[str, str] | Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def _check_status(status: object, body: object) -> None:
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"status must be an int from 200 to 599, not {status!r}")
    _check_bytes("body", body)
    if status in _WITHOUT_BODY and body:
        raise ValueError(f"body must be empty: an answer of {status} has none")


def _check_headers(fields: Sequence[tuple[str, str]]) -> None:
    for name, value in fields:
        if not (isinstance(name, str) and isinstance(value, str)):
            raise TypeError(f"headers must have names and values of str, not {name!r}: {value!r}")
        if not f"{name}{value}".isascii() or not f"{name}{value}".isprintable():
            raise ValueError(f"headers must be printable ASCII, not {name!r}: {value!r}")


def _check_bytes(name: str, value: object) -> None:
    if not isinstance(value, bytes):
        raise TypeError(f"{name} must be bytes, not {type(value).__name__}")


def _check_not_negative(name: str, value: object) -> None:
    if not isinstance(value, (int, float)) or not value >= 0:
        raise ValueError(f"{name} must be seconds, 0 or more, not {value!r}")
