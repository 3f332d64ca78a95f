"""One request's way out: what is held back, what has been counted, what its headers ask for."""

from __future__ import annotations

from typing import Any, NamedTuple

from tracedclient import httptrace

JOINED_BYTES = 1_400
"""A body up to this size is joined to its head: about what one Ethernet segment carries. A larger
one is handed over as it is, without being copied."""

CONTINUE_TIMEOUT = 1.0
"""Seconds to wait for a 100 before the body is sent all the same (RFC 9110 §10.1.1)."""


class FinalAnswerFirst(Exception):
    """The server answered for good while the body waited for a 100: it is not to be sent."""


class Plain(NamedTuple):
    """A request as it goes on the wire, and how long it may take."""

    method: str
    head: bytes
    body: bytes | None
    connect: float | None
    """Seconds for each address; ``None`` for the operating system's own."""
    read: float | None
    """Seconds for each read and write."""
    max_body: int
    """Bytes; a larger one is for those who can stream, or refuse it."""


class Writing:
    """One request's way out: what is held back, and what has been counted."""

    # As it is at the beginning of each: there is one for every request.
    joins = False
    waits = False
    closes = False
    head = False
    held = b""
    complete = True
    bytes = 0
    at = 0
    _writes = 0

    def count(self, data: Any) -> None:
        self._writes += 1
        self.bytes += len(data)

    def info(self, error: BaseException | None) -> httptrace.WroteRequestInfo:
        return httptrace.WroteRequestInfo(
            bytes_sent=self.bytes,
            writes=self._writes,
            complete=self.complete and error is None,
            error=error,
        )


def expects_continue(headers: Any) -> bool:
    """Whether a request asks the server for leave to send its body (RFC 9110 §10.1.1)."""
    return asks(headers, "expect", "100-continue")


def asks(headers: Any, name: str, word: str) -> bool:
    """Whether ``headers``, of whichever kind of mapping, have ``word`` under ``name``."""
    return any(
        len(key) == len(name) and as_text(key).lower() == name and word in as_text(value).lower()
        for key, value in (headers or {}).items()
    )


def as_text(value: str | bytes) -> str:
    """Return a header's name or value as text."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
