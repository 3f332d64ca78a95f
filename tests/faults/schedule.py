"""A server that misbehaves by a schedule, and the journal of what it executed.

A fault is taken from the schedule for each request that a connection waits for, and once more when
there is none left to take: then the server is sound. What it executes it echoes, so that an answer
given to the wrong call is found out.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from servers import Peer, Request

CALL = "X-Call"
"""The header that names the call."""

SECRET = "c4n4ry"
"""Stands in every place of a request where a credential can be."""


class Journal:
    """What a server has executed: how often each call, from which of the client's ports."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.executed: Counter[str] = Counter()
        self.ports: dict[str, list[str]] = {}
        self.redirected: set[str] = set()
        """Calls that the server itself has sent on."""

    def enter(self, peer: Peer, request: Request) -> None:
        call = request.headers.get(CALL) or ""
        with self._lock:
            self.executed[call] += 1
            host, port = peer.socket.getpeername()[:2]
            self.ports.setdefault(call, []).append(f"{host}:{port}")


class Misbehaving:
    """The handler of a server: ``servers.ScriptedServer(Misbehaving(["ok", "reset"]))``."""

    def __init__(self, schedule: Iterable[str], *, elsewhere: str = "", stall: float = 0.3) -> None:
        self.journal = Journal()
        self._schedule: Iterator[str] = iter(schedule)
        self._lock = threading.Lock()
        self._elsewhere = elsewhere
        self._stall = stall

    def __call__(self, peer: Peer) -> None:
        while not peer.closed:
            fault = self._next()
            if fault == "reset unread":
                peer.reset()
                return
            request = peer.read_request()
            if request is None:
                return
            self.journal.enter(peer, request)
            FAULTS[fault](self, peer, request)

    def _next(self) -> str:
        with self._lock:
            return next(self._schedule, "ok")

    # --- faults -------------------------------------------------------------------------------

    def _good(self, peer: Peer, request: Request) -> None:
        peer.answer(200, echo(request))

    def _reset(self, peer: Peer, _: Request) -> None:
        peer.reset()

    def _end(self, peer: Peer, _: Request) -> None:
        peer.close()

    def _stalled(self, peer: Peer, _: Request) -> None:
        peer.sleep(self._stall)
        peer.close()

    def _to_elsewhere(self, peer: Peer, _: Request) -> None:
        peer.answer(302, headers={"Location": f"{self._elsewhere}/?token={SECRET}"})

    def _body_elsewhere(self, peer: Peer, _: Request) -> None:
        peer.answer(307, headers={"Location": f"{self._elsewhere}/kept"})

    def _redirect(self, peer: Peer, request: Request) -> None:
        self._send_on(peer, request, 307, "/there")

    def _loop(self, peer: Peer, request: Request) -> None:
        self._send_on(peer, request, 302, "/loop")

    def _send_on(self, peer: Peer, request: Request, status: int, location: str) -> None:
        self.journal.redirected.add(request.headers.get(CALL) or "")
        peer.answer(status, headers={"Location": location})

    def _short(self, peer: Peer, request: Request) -> None:
        body = echo(request)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(body) + 97) + body)
        peer.close()

    def _short_chunk(self, peer: Peer, request: Request) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + echo(request))
        peer.close()

    def _interim(self, peer: Peer, request: Request) -> None:
        peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3)
        self._good(peer, request)

    def _last(self, peer: Peer, request: Request) -> None:
        peer.answer(200, echo(request), close=True)

    def _silent_end(self, peer: Peer, request: Request) -> None:
        self._good(peer, request)
        peer.close()

    def _pieces(self, peer: Peer, request: Request) -> None:
        answer = servers.Answer(200, [bytes([byte]) for byte in echo(request)])
        peer.send_answer(answer)


def echo(request: Request) -> bytes:
    """Names the call and its body."""
    return b"%s %s" % ((request.headers.get(CALL) or "").encode(), request.body)


def _status(code: int, *headers: tuple[str, str]) -> Callable[..., None]:
    return lambda _, peer, request: peer.answer(code, b"no", headers)


def _raw(data: bytes) -> Callable[..., None]:
    def answer(_: Misbehaving, peer: Peer, request: Request) -> None:
        peer.send(data)
        peer.close()

    return answer


FAULTS: dict[str, Callable[[Misbehaving, Peer, Request], None]] = {
    "ok": Misbehaving._good,
    "reset": Misbehaving._reset,
    "end": Misbehaving._end,
    "stall": Misbehaving._stalled,
    "elsewhere": Misbehaving._to_elsewhere,
    "body elsewhere": Misbehaving._body_elsewhere,
    "redirect": Misbehaving._redirect,
    "short": Misbehaving._short,
    "short chunk": Misbehaving._short_chunk,
    "interim": Misbehaving._interim,
    "last": Misbehaving._last,
    "silent end": Misbehaving._silent_end,
    "pieces": Misbehaving._pieces,
    "429": _status(429, ("Retry-After", "0")),
    "500": _status(500),
    "502": _status(502),
    "503": _status(503),
    "503, later": _status(503, ("Retry-After", "9")),
    "409": _status(409, ("Retry-After", "0")),
    "garbage": _raw(b"\x16\x03\x01 garbage\r\n\r\n"),
    "bad chunk": _raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "bad gzip": _raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno"),
    "loop": Misbehaving._loop,
}

KINDS = ("reset unread", *FAULTS)
