"""``Torture``: the Nth call of a socket fails, as the operating system may let it fail at any time.

The standard library's own methods are replaced while it lasts, for the thread that tortures itself
only: a server in another thread of the process has sound sockets. Nothing of the client is touched.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ERRNOS = (
    errno.ECONNRESET,
    errno.EPIPE,
    errno.ETIMEDOUT,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ECONNABORTED,
    errno.ECONNREFUSED,
    errno.EMFILE,
    errno.EINTR,
)


def _failure(code: int) -> OSError:
    return OSError(code, os.strerror(code))


FAILURES: dict[str, Callable[[], OSError]] = {
    **{errno.errorcode[code]: partial(_failure, code) for code in ERRNOS},
    # What a socket's own timeout raises, without an errno.
    "timeout": partial(TimeoutError, "timed out"),
}


def _tls_failure(kind: type[ssl.SSLError], number: int, reason: str) -> ssl.SSLError:
    error = kind(number, reason)
    # As OpenSSL's errors have them.
    error.library, error.reason = "SSL", reason
    return error


TLS_FAILURES: dict[str, Callable[[], OSError]] = {
    "EOF": lambda: _tls_failure(ssl.SSLEOFError, ssl.SSL_ERROR_EOF, "UNEXPECTED_EOF_WHILE_READING"),
    "syscall": lambda: _tls_failure(ssl.SSLSyscallError, ssl.SSL_ERROR_SYSCALL, "SYSCALL"),
    "foreign": partial(ssl.SSLError, "refused by a library that is not OpenSSL"),
    "record": lambda: _tls_failure(ssl.SSLError, ssl.SSL_ERROR_SSL, "DECRYPTION_FAILED"),
}

_CALLS: dict[str, list[tuple[type[socket.socket], str]]] = {
    "open": [(socket.socket, "__init__")],
    "connect": [(socket.socket, "connect"), (socket.socket, "connect_ex")],
    "handshake": [(ssl.SSLSocket, "do_handshake")],
    "send": [
        (socket.socket, "send"),
        (socket.socket, "sendall"),
        (ssl.SSLSocket, "send"),
    ],
    "recv": [
        (socket.socket, "recv"),
        (socket.socket, "recv_into"),
        (socket.socket, "recvmsg"),
        (ssl.SSLSocket, "recv_into"),
    ],
}

OPERATIONS = tuple(_CALLS)


_ENDS = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED, errno.ETIMEDOUT})
"""After one of these the connection is no more: what follows must not find it alive."""


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):
        # Not SSLSocket's own, which drops the TLS state that the client goes on with.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Torture:
    """Fails the ``nth`` call of ``operation`` with what ``failure`` makes.

    ``lasting`` fails all calls after that one too. ``late`` lets the call happen first: what was
    sent has arrived, and the sender is told that it has not.
    """

    def __init__(
        self,
        operation: str,
        nth: int,
        failure: Callable[[], OSError],
        *,
        lasting: bool = False,
        late: bool = False,
    ) -> None:
        self.faults = 0
        """How many calls have failed so far."""
        self._operation = operation
        self._nth = nth
        self._failure = failure
        self._lasting = lasting
        self._late = late
        self._calls = 0
        self._thread = threading.get_ident()
        self._inside = False

    @contextmanager
    def inflicted(self) -> Iterator[None]:
        """While it lasts, this thread's sockets fail."""
        with pytest.MonkeyPatch.context() as patch:
            for owner, name in _CALLS[self._operation]:
                patch.setattr(owner, name, self._failing(getattr(owner, name), name))
            yield

    def _failing(self, real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(sock: socket.socket, *args: Any, **kwargs: Any) -> Any:
            # One call may be made of another, of the same socket: SSLSocket.send of socket.send.
            if threading.get_ident() != self._thread or self._inside:
                return real(sock, *args, **kwargs)
            self._inside = True
            try:
                return self._counted(sock, name, lambda: real(sock, *args, **kwargs))
            finally:
                self._inside = False

        return call

    def _counted(self, sock: socket.socket, name: str, go: Callable[[], Any]) -> Any:
        self._calls += 1
        is_due = self._calls >= self._nth if self._lasting else self._calls == self._nth
        if not is_due:
            return go()
        self.faults += 1
        if self._late:
            go()
        error = self._failure()
        if error.errno in _ENDS:
            _cut(sock)
        if name == "connect_ex" and error.errno:
            return error.errno
        raise error
