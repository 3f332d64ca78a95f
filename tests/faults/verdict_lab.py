"""What provokes a fault for its verdict: a client, servers that misbehave, names that resolve so."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import servers
import tenacity

from tracedclient import RetryPolicy, Timeout
from tracedclient.httptrace import ClientTrace

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from servers import Peer

    from tracedclient import HTTPClient, TraceResult

ONCE = RetryPolicy(max_attempts=1)
QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01), wait_throttled=tenacity.wait_fixed(0.01))
SLOW = 0.8
"""Seconds: more than a call may take without an explanation."""
SHORT = 1.0
"""Seconds of a timeout that is waited for."""
IMPATIENT = Timeout(connect=SHORT, read=SHORT, total=None)
HEAD = b"HTTP/1.1 200 OK\r\n"
UPLOAD = b"x" * 16_000_000
"""More than the kernel takes at once."""

FAULTS: dict[str, Callable[[Lab], TraceResult]] = {}
"""How each fault is provoked, by its name in docs/verdict.md, in the order of the page."""


def fault(name: str) -> Callable[[Callable[[Lab], TraceResult]], Callable[[Lab], TraceResult]]:
    """Register what makes the call that is to be judged, and returns its trace."""

    def keep(provoke: Callable[[Lab], TraceResult]) -> Callable[[Lab], TraceResult]:
        assert name not in FAULTS
        FAULTS[name] = provoke
        return provoke

    return keep


@dataclass
class Lab:
    """``call`` makes the call that is judged; everything is closed by the fixtures it is made of."""

    make_client: Callable[..., HTTPClient]
    start: Callable[[Any], Any]
    resolver: servers.Resolver
    server_context: Callable[..., ssl.SSLContext]
    expired_context: Callable[..., ssl.SSLContext]
    ca_file: str
    black_hole: tuple[str, int]

    def client(self, **options: Any) -> HTTPClient:
        """A client that tries once, with timeouts that no server here needs."""
        return self.make_client(**{"retry": ONCE, "timeout": Timeout(5, 5, None), **options})

    def call(self, url: str, method: str = "GET", **options: Any) -> TraceResult:
        """One call by a client of its own; options that are not of ``request`` are the client's."""
        of_call = {name: options.pop(name) for name in ("data", "trace") if name in options}
        return told(self.client(**options), url, method, **of_call)

    def server(self, *steps: Callable[[Peer], object], **options: Any) -> servers.ScriptedServer:
        """A server that takes these steps with each connection."""

        def handle(peer: Peer) -> None:
            for step in steps:
                step(peer)

        expected = (OSError, EOFError, ValueError)
        server: servers.ScriptedServer = self.start(
            servers.ScriptedServer(handle, expected=expected, **options)
        )
        return server

    def answering(self, *statuses: int, delay: float = 0.0, **headers: str) -> Any:
        """A server that gives these answers in turn, the last for ever."""
        left = list(statuses)
        fields = [(name.replace("_", "-"), value) for name, value in headers.items()]

        def app(_: object) -> tuple[int, list[tuple[str, str]], bytes]:
            threading.Event().wait(delay)
            return (left.pop(0) if len(left) > 1 else left[0]), fields, b"x"

        return self.start(servers.serve(app))

    def late(self, *addresses: str, seconds: float = SLOW) -> Callable[[], list[str]]:
        """An entry of the resolver that takes its time."""

        def look_up() -> list[str]:
            threading.Event().wait(seconds)
            return list(addresses)

        return look_up


def told(client: HTTPClient, url: str, method: str = "GET", **options: Any) -> TraceResult:
    """The trace of one call, whether it went well or not."""
    try:
        response = client.request(method, url, **options)
    except BaseException as error:
        found: TraceResult | None = getattr(error, "trace", None)
        if found is None:
            raise
        return found
    with closing(response):
        assert response.trace is not None
        return response.trace


class Busy(ClientTrace):
    """Keeps this thread from reading for a while after the request has been written."""

    def __init__(self, seconds: float = SLOW) -> None:
        self._seconds = seconds

    def wrote_request(self, info: object) -> None:
        threading.Event().wait(self._seconds)


class Hog(ClientTrace):
    """Once the answer is there, has another thread keep the GIL: one long call into C."""

    def __init__(self, answered: threading.Event) -> None:
        self._answered = answered

    def wrote_request(self, info: object) -> None:
        if self._answered.wait(5):
            numbers = range(_numbers_for(SLOW * 1.5))
            threading.Thread(target=sum, args=(numbers,), daemon=True).start()


def _numbers_for(seconds: float) -> int:
    """How many a sum takes at least so long for, on this machine."""
    took = min(_seconds_of_a_sum() for _ in range(5))
    return int(1_000_000 * seconds / took)


def _seconds_of_a_sum() -> float:
    began = time.perf_counter()
    sum(range(1_000_000))
    return time.perf_counter() - began


def read(peer: Peer) -> None:
    peer.read_request()


def reset(peer: Peer) -> None:
    peer.reset()


def hold(peer: Peer) -> None:
    """Take whatever comes until the client has left, and say nothing."""
    peer.drain()


def stay(peer: Peer) -> None:
    """Take nothing either."""
    peer.wait(threading.Event(), 20)


def pause(seconds: float = SLOW) -> Callable[[Peer], None]:
    return lambda peer: peer.sleep(seconds)


def send(data: bytes) -> Callable[[Peer], None]:
    return lambda peer: peer.send(data)


def answer(status: int = 200, body: bytes = b"answered") -> Callable[[Peer], None]:
    return lambda peer: peer.answer(status, body)


def drip(data: bytes, times: int, every: float = 0.05) -> Callable[[Peer], None]:
    """Send ``data`` again and again."""

    def go(peer: Peer) -> None:
        for _ in range(times):
            peer.sleep(every)
            peer.send(data)

    return go
