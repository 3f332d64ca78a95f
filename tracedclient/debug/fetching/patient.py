"""Sockets that give up: at a deadline, however the peer drips, and soon after a cancellation.

A socket's own timeout is one of each call, and closing a socket does not wake the thread that reads
from it. So no call blocks for longer than a slice, and between two slices both are looked at.
"""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, TypeVar

from tracedclient.debug.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

_SLICE = 0.1
"""Seconds after which a cancellation is noticed, but for the scheduler."""

T = TypeVar("T")


class TimeIsUp(SourceError):
    """The deadline passed before the peer was done."""


class Patience:
    """How long one request may still take."""

    def __init__(self, peer: str, seconds: float, cancel: Event) -> None:
        self._peer = peer
        self._seconds = seconds
        self._cancel = cancel
        self._deadline = time.monotonic() + seconds

    def let_end_in(self, seconds: float) -> None:
        """Let it end ``seconds`` from now, unless it ends sooner."""
        self._deadline = min(self._deadline, time.monotonic() + seconds)

    def slice(self) -> float:
        """Return the seconds that a call may block. Raises ``SourceError`` when there are none."""
        if self._cancel.is_set():
            raise SourceError("the fetch was cancelled")
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeIsUp(f"{self._peer} gave no whole answer within {self._seconds:g} s")
        return min(left, _SLICE)


class _Patient:
    """What http.client reads from and writes to, for a socket and for a TLS socket."""

    patience: Patience
    has_ended = False
    """The peer has said that it sends no more."""

    def recv_into(self, *args: Any) -> int:
        received: int = self._patiently(super().recv_into, *args)  # type: ignore[misc]
        self.has_ended = not received
        return received

    def sendall(self, data: Any, flags: int = 0) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self._patiently(super().send, view, flags) :]  # type: ignore[misc]

    def _patiently(self, call: Callable[..., T], *args: Any) -> T:
        while True:
            self.settimeout(self.patience.slice())  # type: ignore[attr-defined]
            try:
                return call(*args)
            except TimeoutError as error:
                # One with a number is the kernel's: it has given the connection up.
                if error.errno is not None:
                    raise


class PatientSocket(_Patient, socket.socket):
    """A TCP connection."""


class PatientTLSSocket(_Patient, ssl.SSLSocket):
    """A TLS connection."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands as long as ``patience`` lasts."""
        self._patiently(super().do_handshake, block)
