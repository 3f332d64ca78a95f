"""A real server on loopback that does what a test's script says."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING

from tracedclient.testing.faults import Step
from tracedclient.testing.wire import Request, Stopping, Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self


class FaultyServer:
    """Plays one step for each request, whichever connection it comes on; the last one for ever.

    It listens inside its ``with`` block, and is gone with every thread and socket afterwards.
    """

    def __init__(self, script: tuple[Step, ...]) -> None:
        self._script = script
        self._requests: list[Request] = []
        self._wires: set[Wire] = set()
        self._threads: list[threading.Thread] = []
        self._port: int | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:…``, without a slash at its end."""
        if self._port is None:
            raise RuntimeError("it has no url yet: use it as `with faulty_server(…) as server:`")
        return f"http://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[Request]:
        """A copy: every request read so far, in that order, those without an answer included."""
        with self._lock:
            return list(self._requests)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self._stopping.clear()
        self._threads.clear()
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # Closing a listener does not wake up, on every system, who waits for a connection.
        with suppress(OSError):
            socket.create_connection(self._listener.getsockname(), timeout=1).close()
        self._threads[0].join()
        self._listener.close()
        with self._lock:
            for wire in self._wires:
                with suppress(OSError):
                    wire.interrupt()
        for thread in self._threads:
            thread.join()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            accepted, _ = self._listener.accept()
            if self._stopping.is_set():
                accepted.close()
                return
            wire = Wire(accepted, self._stopping)
            with self._lock:
                self._wires.add(wire)
            self._start(self._serve, wire)

    def _serve(self, wire: Wire) -> None:
        try:
            with suppress(OSError, Stopping):  # the client has left, or the test
                while self._play_next(wire):
                    pass
        finally:
            with self._lock:
                self._wires.discard(wire)
                wire.close()

    def _play_next(self, wire: Wire) -> bool:
        try:
            request = wire.read_request()
        except (ValueError, HTTPException):  # a TLS client, say
            return False
        if request is None:
            return False
        with self._lock:
            step = self._script[min(len(self._requests), len(self._script) - 1)]
            self._requests.append(request)
        return step.play(request, wire)


def faulty_server(*script: Step) -> FaultyServer:
    """Return a server, to be entered by ``with``, that does ``script`` with the requests it gets.

    Raises ``ValueError`` without a step, ``TypeError`` for one that is none.
    """
    if not script:
        raise ValueError("faulty_server needs a step or more, such as Answer(200)")
    for step in script:
        if not isinstance(step, Step):
            raise TypeError(f"a step must be an Answer(), Reset(), Hang(), …, not {step!r}")
    return FaultyServer(script)


def refused_url() -> str:
    """Return a URL on loopback at which a connect is refused, for some seconds at least."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):
            accepted, _ = listener.accept()
            # Who closes first is left with the TIME_WAIT, which keeps the port from being given to
            # the next one who asks for any.
            accepted.close()
    return f"http://127.0.0.1:{address[1]}"
