"""Reading an answer from its socket: what a trace hears of it, and how http.client gets its lines."""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from tracedclient import httptrace
from tracedclient.notes import BodyReads
from tracedclient.transport import on_demand
from tracedclient.transport.begun import Meter
from tracedclient.transport.bounded import keep_deadline

if TYPE_CHECKING:
    import socket

    from tracedclient.httptrace import ClientTrace
    from tracedclient.transport.begun import Begun

MAX_HEAD_BYTES = 256 * 1024
"""Bytes of one head; http.client would take a hundred lines of 64 KiB."""

_OF_ONE_TIME = 16 * 1024
"""Bytes of which the kernel has one time: it merges what lies unread, up to 17 segments. A read of more
would be told when the last of it came."""


class TooLargeHead(http.client.HTTPException):
    """A head without end."""


class WatchedReader(io.RawIOBase):
    """The socket's reads: counts them, tells of the first byte, keeps the error that ended them."""

    def __init__(
        self,
        raw: io.RawIOBase,
        trace: ClientTrace,
        sock: socket.socket,
        *,
        answered: bool,
        written_at: int,
    ) -> None:
        self._raw = raw
        self._client_trace = trace
        self._sock: socket.socket | None = sock
        self._answered = answered
        self._written_at = written_at
        """Epoch nanoseconds, the kernel's clock for what arrives."""
        self.meter = Meter()
        self.in_body = False
        self._noted: BodyReads | None = None
        self.at_end = False
        self.error: BaseException | None = None

    def readable(self) -> bool:
        return True

    def begin_body(self) -> None:
        """Tell of the reads from now on: of each, or to one that takes notes of all at the end."""
        self.in_body = True
        if httptrace.note_taker(self._client_trace) is not None:
            self._noted = BodyReads(time.perf_counter_ns())

    def tell_noted(self) -> None:
        """Tell of the reads that nobody was told of one by one."""
        taker = httptrace.note_taker(self._client_trace)
        if taker is not None and self._noted is not None:
            taker.body_noted(self._noted)

    def readinto(self, buffer: Any) -> int | None:
        if self._noted is not None:
            return self._read_noted(buffer, self._noted)
        began = time.monotonic()
        try:
            buffered = None if self.meter.reads else self._wait_for_the_first()
            size = self._raw.readinto(buffer)
        except BaseException as error:
            self.error = error
            raise
        if not size:
            self.at_end = True
            return size
        self.meter.count(size)
        if self.meter.reads == 1:
            self._client_trace.got_first_response_byte(
                httptrace.GotFirstResponseByteInfo(buffered=buffered)
            )
        if self.in_body:
            waited = self.meter.read_at - began
            self._client_trace.body_read(httptrace.BodyReadInfo(size=size, waited=waited))
        return size

    def _read_noted(self, buffer: Any, noted: BodyReads) -> int | None:
        began = time.perf_counter_ns()
        try:
            size = self._raw.readinto(buffer)
        except BaseException as error:
            self.error = error
            raise
        if size:
            noted.count(size, began, time.perf_counter_ns())
        else:
            self.at_end = True
        return size

    def go_on(self, begun: Begun) -> None:
        """Count on where somebody else has stopped."""
        self.meter, self.in_body = begun.meter, begun.in_body
        self.at_end = begun.ended
        if begun.stage == "receive":
            self.error = begun.error
        if self.meter.reads or self.error is not None or begun.ended:
            self._sock = None

    def _wait_for_the_first(self) -> float | None:
        sock, self._sock = self._sock, None
        if sock is None:
            return None
        return wait_for_answer(sock, answered=self._answered, written_at=self._written_at)

    def close(self) -> None:
        self._raw.close()
        super().close()


def wait_for_answer(sock: socket.socket, *, answered: bool, written_at: int) -> float | None:
    """Wait for an answer; return how many seconds it has lain in the kernel by then.

    ``written_at`` is when its request was written, in epoch nanoseconds, the kernel's clock for
    what arrives.
    """
    keep_deadline(sock)
    return _has_lain(on_demand.kernel.arrival(sock, answered=answered), written_at)


def read_first(
    sock: Any, size: int, *, answered: bool, written_at: int
) -> tuple[bytes, float | None]:
    """Read at most ``size`` bytes of an answer; return also what ``wait_for_answer`` would have."""
    keep_deadline(sock)
    size = min(size, _OF_ONE_TIME)
    data, arrived = on_demand.kernel.received(sock, size, answered=answered)
    return data, _has_lain(arrived, written_at)


def _has_lain(arrived: int | None, written_at: int) -> float | None:
    # What came before the request was written is no answer to it.
    if arrived is None or arrived < written_at:
        return None
    return max(0, time.time_ns() - arrived) / 1e9


def has_more(reader: Any) -> bool:
    """Whether ``reader``, which is not read any more, has read ahead. Does not read, and ends its reads."""
    raw = getattr(reader, "raw", None)
    if raw is None:
        return False
    is_unread = getattr(raw, "is_unread", False)
    # Of a closed one, `peek` gives what is there.
    raw.close()
    try:
        return bool(is_unread or reader.peek(1))
    except ValueError:
        return False


class Lines:
    """Reads the lines of a head for http.client, bounds them, and remembers the last one."""

    __slots__ = ("_reader", "_size", "last")

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._size = 0
        self.last: bytes | None = None

    def readline(self, limit: int) -> bytes:
        line: bytes = self._reader.readline(limit)
        self.last = line
        # An interim answer has a head of its own, and ends with an empty line as this one.
        self._size = self._size + len(line) if line.strip() else 0
        if self._size > MAX_HEAD_BYTES:
            raise TooLargeHead(f"the answer's head is larger than {MAX_HEAD_BYTES} bytes")
        return line

    def close(self) -> None:
        self._reader.close()


def is_of_the_reading(error: BaseException) -> bool:
    """Return whether ``error`` came up in the code that reads the body, and not in that which uses it."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__", "") if traceback is not None else ""
    return module.startswith(("urllib3.", "http.client"))
