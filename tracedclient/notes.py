"""One exchange noted whole, for a trace that would only write its events down.

A call per event costs more than most events do. On the transport's short way nothing comes up in
which a hook could have a say, so there the times are noted on the spot, and told all at once: when
the exchange is over, or when it turns out to be unusual and is handed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tracedclient._infos import GotConnInfo
    from tracedclient.trace.model import TCP


class BodyRead(NamedTuple):
    """One read of the socket that brought more of the body."""

    size: int
    """Bytes."""
    waited: float
    """Seconds."""
    at: int


class BodyReads:
    """What ``body_read`` would have said, one read after the other, of a body that may be long."""

    __slots__ = ("longest_silence", "read_at", "readers_time", "reads", "size")

    def __init__(self, at: int) -> None:
        self.size = 0
        """Bytes."""
        self.reads = 0
        self.longest_silence = 0
        """Nanoseconds between two reads that brought something, or from ``at`` to the first."""
        self.readers_time = 0
        """Nanoseconds for which nobody was reading."""
        self.read_at = at
        """Nanoseconds of ``time.perf_counter_ns``: when the last one brought something."""

    def count(self, size: int, began: int, at: int) -> None:
        """Count a read from ``began`` to ``at`` that brought ``size`` bytes."""
        silence = at - self.read_at
        self.longest_silence = max(self.longest_silence, silence)
        self.readers_time += max(0, began - self.read_at)
        self.size += size
        self.reads += 1
        self.read_at = at


class Notes:
    """What ``got_conn``, ``wrote_headers``, ``wrote_request``, ``got_first_response_byte``,
    ``response_head``, ``body_read``, ``put_idle_conn`` and ``body_done`` would have said.

    ``…_at`` are nanoseconds of ``time.perf_counter_ns``; 0 when it has not come to that. Head and
    body went out together: their hooks have one time.
    """

    __slots__ = (
        "body_done_at",
        "body_reads",
        "buffered",
        "bytes_read",
        "bytes_sent",
        "conn",
        "first_byte_at",
        "got_conn_at",
        "head_at",
        "longest_silence",
        "not_kept",
        "put_at",
        "reads",
        "status",
        "tcp",
        "write_failed",
        "wrote_at",
    )

    def __init__(self, conn: GotConnInfo, at: int) -> None:
        self.conn = conn
        self.got_conn_at = at
        self.wrote_at = self.first_byte_at = self.head_at = self.put_at = self.body_done_at = 0
        self.bytes_sent = 0
        self.write_failed = False
        self.buffered: float | None = None
        self.status = 0
        self.bytes_read = 0
        """Up to the moment when the head was parsed, as ``ResponseHeadInfo`` has it; so are these."""
        self.reads = 0
        self.longest_silence = 0.0
        self.body_reads: list[BodyRead] = []
        self.not_kept: str | None = None
        """Why the connection did not go back to the pool."""
        self.tcp: TCP | None = None
