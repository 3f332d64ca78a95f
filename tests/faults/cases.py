"""Scenarios as data: what a server does, what is called, and what must have happened on both sides.

A connection is a tuple of steps; a server is a list of connections, the last of which is that of all
later ones too.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import requests
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, SSLError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from servers import Peer

Step: TypeAlias = "Callable[[Peer], object]"
Connection: TypeAlias = tuple[Step, ...]

SLEPT = 10.0
"""Milliseconds between two attempts, by the policy of these cases."""


@dataclass(frozen=True)
class Case:
    """One call and all that is known of it beforehand."""

    scenario: str
    about: str
    server: Sequence[Connection]
    outcome: int | type[Exception]
    """The status returned, or the class raised."""
    reasons: Sequence[str]
    """What the trace says of each attempt, in part: why there was, or was not, another."""
    journal: Sequence[str] = ()
    """The requests that the server read to their end."""
    method: str = "GET"
    call: Mapping[str, Any] = field(default_factory=dict)
    scheme: str = "http"
    connections: int | None = None
    """How many the server accepted; by default one for each attempt."""
    phase: str | None = None
    """Where the last attempt failed."""
    same: Callable[[Any], object] | None = None
    """What of a request must be the same in all of them, and not empty."""

    @property
    def name(self) -> str:
        return f"{self.scenario} {self.about}"


def read(peer: Peer) -> None:
    peer.read_request()


def first_byte(peer: Peer) -> None:
    """Take part of what comes: closing then resets, for there is more."""
    peer.socket.recv(1)


def reset(peer: Peer) -> None:
    peer.reset()


def fin(peer: Peer) -> None:
    """Take all there is and close in peace."""
    peer.socket.recv(65536)
    peer.close()


def hold(peer: Peer) -> None:
    peer.drain()


def pause(peer: Peer) -> None:
    """Let the client read what was sent: a reset would take it away."""
    peer.sleep(0.2)


def send(data: bytes) -> Step:
    return lambda peer: peer.send(data)


def answer(status: int, *headers: tuple[str, str]) -> Step:
    return lambda peer: peer.answer(status, b"answered", headers)


def form(request: Any) -> object:
    """A multipart body and the boundary that its header names."""
    return request.body, request.headers.get("Content-Type")


class Unwilling(io.BytesIO):
    """A file that says where it stands, and will not go anywhere else."""

    def seek(self, *_: int) -> int:
        raise OSError("cannot seek")


HEAD = b"HTTP/1.1 200 OK\r\n"
SIZED = HEAD + b"Content-Length: 100\r\n\r\nthree"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = (read, answer(200))
RESET = (read, reset)
POST: dict[str, Any] = {"method": "POST", "call": {"data": b"x"}}
KEYED: dict[str, Any] = {"method": "POST", "call": {"data": b"x", "idempotency_key": True}}
RETRIED = ("wait failed", "wait failed", "wait failed; no attempts left")


def key(request: Any) -> object:
    return request.headers.get("Idempotency-Key")


def _tls(about: str, *steps: Step, scenario: str, error: type[Exception]) -> Case:
    return Case(
        scenario,
        about,
        [steps],
        error,
        ["tls failed, nothing sent"] * 3,
        scheme="https",
        phase="tls",
        **POST,
    )


def _nonsense(about: str, data: bytes, phase: str, error: type[Exception]) -> Case:
    """What the peer got wrong it will get wrong again."""
    return Case("T17", about, [(read, send(data))], error, [""], ["GET /"], phase=phase)


def _broken_body(about: str, *steps: Step) -> list[Case]:
    broken = (read, *steps)
    return [
        Case(
            "T16",
            f"{about}, GET",
            [broken, GOOD],
            200,
            ["failed", "answered"],
            ["GET /"] * 2,
        ),
        Case(
            "T16",
            f"{about}, POST",
            [broken],
            ChunkedEncodingError,
            ["failed, POST is not idempotent"],
            ["POST /"],
            phase="receive",
            **POST,
        ),
    ]


CASES = [
    _tls("silent handshake, POST", hold, scenario="T3", error=requests.ReadTimeout),
    _tls(
        "reset in the handshake, POST",
        first_byte,
        reset,
        scenario="T4",
        error=requests.ConnectionError,
    ),
    _tls("end in the handshake, POST", fin, scenario="T5", error=SSLError),
    Case(
        "T10", "reset, GET", [RESET], requests.ConnectionError, RETRIED, ["GET /"] * 3, phase="wait"
    ),
    Case(
        "T10",
        "reset, POST with a key",
        [RESET],
        requests.ConnectionError,
        RETRIED,
        ["POST /"] * 3,
        phase="wait",
        same=key,
        **KEYED,
    ),
    *_broken_body("reset in the body", send(SIZED), pause, reset),
    *_broken_body("end in the body", send(SIZED)),
    *_broken_body("end in a chunk", send(CHUNKED + b"5\r\nab")),
    *(
        Case(
            "T16",
            f"end {about}",
            [(read, send(data))],
            requests.ConnectionError,
            [""],
            ["POST /"],
            phase="wait",
            **POST,
        )
        for about, data in [
            ("in the status line", b"HTTP/1.1 20"),
            ("after the status line", HEAD),
            ("in a header", HEAD + b"Content-Len"),
            ("after a header", HEAD + b"X-One: 1\r\n"),
        ]
    ),
    _nonsense("garbage", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "wait", requests.ConnectionError),
    _nonsense(
        "150 headers",
        HEAD + b"X: y\r\n" * 150 + b"\r\n",
        "wait",
        requests.ConnectionError,
    ),
    _nonsense(
        "a header of 70 kB",
        HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        "wait",
        requests.ConnectionError,
    ),
    _nonsense(
        "a bad chunk size",
        CHUNKED + b"zz\r\nab\r\n",
        "receive",
        ChunkedEncodingError,
    ),
    _nonsense(
        "a bad gzip",
        HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        "receive",
        ContentDecodingError,
    ),
    Case(
        "T39",
        "two Retry-After that differ count as none",
        [(read, answer(503, ("Retry-After", "600"), ("Retry-After", "0")), *GOOD)],
        200,
        ["status 503", "answered"],
        ["GET /"] * 2,
        connections=1,
    ),
    *(
        Case(
            "T40",
            f"Retry-After on {status} means nothing",
            [(read, answer(status, ("Retry-After", "3600")))],
            status,
            ["answered"],
            ["GET /"],
        )
        for status in (200, 201)
    ),
    Case(
        "T40",
        "Retry-After on a redirect means nothing",
        [(read, answer(302, ("Location", "/there"), ("Retry-After", "3600")), *GOOD)],
        200,
        ["answered"],
        ["GET /", "GET /there"],
    ),
    Case(
        "T53",
        "a file that cannot go back",
        [(read, answer(503), hold)],
        503,
        ["body not replayable"],
        ["PUT /"],
        method="PUT",
        call={"data": Unwilling(b"x" * 100)},
    ),
    Case(
        "T56",
        "multipart",
        [(read, answer(503), read, answer(503), *GOOD)],
        200,
        ["status 503", "status 503", "answered"],
        ["PUT /"] * 3,
        method="PUT",
        call={
            "files": {"one": ("one.txt", io.BytesIO(b"1" * 1000)), "two": b"2"},
            "data": {"a": "b"},
        },
        connections=1,
        same=form,
    ),
]
