"""What has happened to an exchange so far, when one way of doing it hands it on to another."""

from __future__ import annotations

import io
import threading
import time
from typing import Any, Literal

from tracedclient._value import Value

Stage = Literal["pool", "connect", "send", "receive"]


class Meter:
    """Counts the reads of one answer."""

    # As it is at the beginning of each: there is one for every traced answer.
    reads = 0
    bytes_read = 0
    longest_silence = 0.0
    """Seconds between two reads that brought something."""
    read_at = 0.0
    """On ``time.monotonic``."""

    def count(self, size: int) -> None:
        """Note a read that brought ``size`` bytes."""
        now = time.monotonic()
        if self.reads:
            self.longest_silence = max(self.longest_silence, now - self.read_at)
        self.read_at = now
        self.reads += 1
        self.bytes_read += size


class Begun(Value):
    """An exchange under way."""

    stage: Stage
    """What was under way last: getting a connection, opening it, writing, or reading."""
    meter: Meter
    error: BaseException | None = None
    """What ended that."""
    written: bytes = b""
    """The request, if it was to be written."""
    data: bytes = b""
    """What was read of the answer."""
    ended: bool = False
    """Whether the connection ended after ``data``."""
    in_body: bool = False
    """Whether the trace has been told of the head."""


class HandedOn(Exception):
    """Somebody else has to finish this exchange, on this connection; ``None`` where there is none."""

    def __init__(self, conn: Any, begun: Begun) -> None:
        super().__init__()
        self.conn = conn
        self.begun = begun


class _Desk(threading.local):
    left: HandedOn | None = None


_desk = _Desk()


def leave(handed_on: HandedOn) -> None:
    """Leave it for the pool that this thread asks next. requests has no slot to pass it along."""
    _desk.left = handed_on


def take() -> HandedOn | None:
    """Return what this thread has left, once."""
    left = _desk.left
    if left is not None:
        _desk.left = None
    return left


def is_left() -> bool:
    """Whether something waits to be taken."""
    return _desk.left is not None


def drop_what_is_left() -> None:
    """See to it that no other request finds what nobody has taken."""
    left = take()
    if left is not None and left.conn is not None:
        left.conn.close()


class Replay(io.RawIOBase):
    """The socket's reads: first what was read before, then the error or the end met after it."""

    def __init__(self, raw: io.RawIOBase, begun: Begun) -> None:
        self._raw = raw
        self._data = memoryview(begun.data)
        self._error = begun.error if begun.stage == "receive" else None
        self._ended = begun.ended

    def readable(self) -> bool:
        return True

    @property
    def is_unread(self) -> bool:
        """Whether some of what was read before was not read here."""
        return bool(self._data)

    def readinto(self, buffer: Any) -> int | None:
        if self._data:
            size = min(len(buffer), len(self._data))
            buffer[:size] = self._data[:size]
            self._data = self._data[size:]
            return size
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return 0 if self._ended else self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
