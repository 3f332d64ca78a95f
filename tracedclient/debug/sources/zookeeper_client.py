"""kazoo's client, tamed: no retries of its own beyond a short failover, no log lines, no hanging.

Imported only by a ``ZooKeeperSource``, for it needs kazoo.
"""

from __future__ import annotations

import atexit
import copy
import hashlib
import logging
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException, NoAuthError, NoNodeError
from kazoo.handlers.threading import KazooTimeoutError, SequentialThreadingHandler

from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.source import Absent, Document, SourceError
from tracedclient.redaction import redact_text

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tracedclient.debug.sources.bell import Bell

_PASSES = 3
"""Times that all servers are tried within one session; then the updater's back-off takes over."""
_FIRST_PAUSE = 0.1
"""Seconds between the first two of them, jittered, and doubled after each."""
_THREAD = "tracedclient-zookeeper"
_ANSWER = 10.0
"""Seconds that one answer may take."""
_LOOK_UP = 0.2
"""Seconds within which a cancel is noticed."""


class NoAnswer(SourceError):
    """The connection was lost before the answer came."""


class Connection:
    """One ZooKeeper session, from its start to its loss. It is never restarted: make another.

    bell   rung when anything happens to it, from kazoo's threads
    Raises what kazoo does for hosts and options that it does not take. Opens nothing before ``start``.
    """

    def __init__(self, hosts: str, bell: Bell, options: dict[str, Any]) -> None:
        self._bell = bell
        self._words = _LastWords()
        self.handler = _Handler(bell, self._words)
        self.client = KazooClient(
            hosts=hosts,
            handler=self.handler,
            logger=self._words.logger,
            connection_retry={"max_tries": _PASSES, "delay": _FIRST_PAUSE},
            **options,
        )
        self.client.add_listener(bell.ring)

    def start(self) -> None:
        """Begin to connect, in kazoo's threads."""
        self.client.start_async()

    @property
    def is_up(self) -> bool:
        return bool(self.client.connected)

    @property
    def is_over(self) -> bool:
        """Whether kazoo has given up; this connection will never be up again."""
        return self.handler.ended.is_set()

    @property
    def last_words(self) -> str:
        """What kazoo last complained of, on one line; empty if it never did."""
        return redact_text(self._words.text)

    def read(self, path: str, cancel: threading.Event) -> Document | Absent:
        """Read the node, and have the bell rung when it changes next, or appears.

        Raises ``NoAnswer``, and ``SourceError`` for a refusal.
        """
        try:
            return self._read(path, cancel)
        except NoAuthError as error:
            raise SourceError(
                f"ZooKeeper lets this client not read {path}: "
                "pass auth_data=[('digest', 'user:password')]"
            ) from error
        except (KazooException, KazooTimeoutError) as error:
            why = self.last_words or redact_text(str(error)) or type(error).__name__
            raise NoAnswer(f"ZooKeeper gave no answer: {why}") from error

    def _read(self, path: str, cancel: threading.Event) -> Document | Absent:
        while True:
            try:
                return _document(*self._await(self.client.get_async(path, self._bell.ring), cancel))
            except NoNodeError:
                pass
            # Only exists() watches a node that is not there; it may have come in between.
            if self._await(self.client.exists_async(path, self._bell.ring), cancel) is None:
                return Absent()

    def _await(self, answer: Any, cancel: threading.Event) -> Any:
        until = time.monotonic() + _ANSWER
        while not answer.ready() and not cancel.is_set() and time.monotonic() < until:
            answer.wait(_LOOK_UP)
        if answer.exception is not None:
            # kazoo keeps its own, and with that one's traceback whoever called this.
            raise copy.copy(answer.exception)
        return answer.get(block=False)

    def stop_later(self) -> threading.Thread:
        """End the session in a thread of its own: against a server that hangs it takes seconds."""
        thread = threading.Thread(target=_stop, args=(self.client,), name=_THREAD, daemon=True)
        thread.start()
        return thread

    def forget(self) -> None:
        """Close the child's copies of the parent's sockets; the parent's session goes on."""
        atexit.unregister(self.handler.stop)
        for sock in list(self.handler.sockets):
            sock.close()


def _document(body: bytes | None, stat: Any) -> Document:
    body = (body or b"")[: MAX_BYTES + 1]
    # The transaction alone would name two contents when an ensemble begins anew from nothing.
    return Document(body, f"{stat.mzxid:#x}-{hashlib.sha256(body).hexdigest()[:16]}")


def _stop(client: Any) -> None:
    try:
        client.stop()
        client.close()
    except Exception:  # noqa: BLE001, S110 - it is given up; its threads are daemons
        pass


class _LastWords(logging.Handler):
    """Keeps kazoo's latest complaint for the status, in place of a log line for every attempt."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""
        # Not from getLogger: another client of this process may want kazoo's own loggers.
        self.logger = logging.Logger("kazoo", logging.WARNING)  # noqa: LOG001
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        # It says so after the reason, and at the end of each pass.
        if not text.startswith(("Transition to", "Failed connecting")):
            self.text = text


class _Handler(SequentialThreadingHandler):  # type: ignore[misc]  # kazoo has no types
    """kazoo's threads: each says when it ends, and none ends with a traceback on stderr."""

    def __init__(self, bell: Bell, words: _LastWords) -> None:
        super().__init__()
        self._bell = bell
        self._words = words
        self.ended = threading.Event()
        self.sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def spawn(self, func: Callable[..., object], *args: Any, **kwargs: Any) -> Any:
        thread = threading.Thread(
            target=self._run, args=(func, *args), kwargs=kwargs, name=_THREAD, daemon=True
        )
        thread.start()
        return thread

    def _run(self, func: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        try:
            func(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - what a server that is none made of it
            self._words.text = f"{type(error).__name__}: {error}"
        finally:
            self.ended.set()
            self._bell.ring()

    def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        return self._remember(super().create_connection(*args, **kwargs))

    def create_socket_pair(self) -> Any:
        return tuple(map(self._remember, super().create_socket_pair()))

    def _remember(self, sock: socket.socket) -> socket.socket:
        self.sockets.add(sock)
        return sock
