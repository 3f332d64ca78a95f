"""What the kernel knows of a connection: round trips, losses, acknowledged bytes, arrival times.

A process sees when it handed bytes over and when it read some. Whether the network lost packets,
whether the request reached the peer, and whether an answer lay unread because this process was
busy, only the kernel can tell: by ``TCP_INFO`` and by its receive timestamps.

Linux only. What the system, the socket or the kernel's version does not tell is ``None``.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
from bisect import bisect_right
from typing import Any, Final, Literal

import msgspec

from tracedclient.trace.model import TCP

_LINUX = sys.platform == "linux"
REFUSALS = (AttributeError, NotImplementedError, OSError, TypeError, ValueError)
"""What sockets, and things that merely look like one, raise for an option they lack."""


class TCPInfo(msgspec.Struct, frozen=True, gc=False):
    """One connection at one moment: ``struct tcp_info`` of linux/tcp.h, in its order.

    Times are seconds, sizes bytes, counters run from the connection's start.
    """

    state: str | None = None
    """``ESTABLISHED``, ``CLOSE_WAIT``, …, the kernel's names; after a reset, ``CLOSE``."""
    retransmits: int | None = None
    """How often the segment that waits for its acknowledgement has been sent again."""
    unacked: int | None = None
    """Segments sent and not acknowledged. 0 after a reset, whatever was under way."""
    lost: int | None = None
    """Those of them that are held for lost."""
    rtt: float | None = None
    """Smoothed (RFC 6298 §2); ``None`` before the first measurement."""
    rttvar: float | None = None
    snd_cwnd: int | None = None
    """Congestion window, segments."""
    total_retrans: int | None = None
    """Segments sent again, the SYN included."""
    bytes_acked: int | None = None
    """On a connection that this side opened the SYN counts as one byte; so does a FIN."""
    bytes_received: int | None = None
    """The peer's FIN counts as one byte."""
    segs_out: int | None = None
    segs_in: int | None = None
    notsent_bytes: int | None = None
    """What the kernel was given and has not sent: the peer's window or the path is full."""
    min_rtt: float | None = None
    """The smallest of the last minutes: the path without its queues."""
    data_segs_in: int | None = None
    data_segs_out: int | None = None
    delivery_rate: int | None = None
    """The last measurement, bytes per second."""
    bytes_sent: int | None = None
    """Payload that went out, retransmissions included."""
    bytes_retrans: int | None = None


# linux/tcp.h. Fields are only ever appended, so that the length of what a kernel returns tells
# which of them it knows.
_FIELDS: Final = (
    ("state", "B", 0),
    ("retransmits", "B", 2),
    ("unacked", "I", 24),
    ("lost", "I", 32),
    ("rtt", "I", 68),
    ("rttvar", "I", 72),
    ("snd_cwnd", "I", 80),
    ("total_retrans", "I", 100),
    ("bytes_acked", "Q", 120),
    ("bytes_received", "Q", 128),
    ("segs_out", "I", 136),
    ("segs_in", "I", 140),
    ("notsent_bytes", "I", 144),
    ("min_rtt", "I", 148),
    ("data_segs_in", "I", 152),
    ("data_segs_out", "I", 156),
    ("delivery_rate", "Q", 160),
    ("bytes_sent", "Q", 200),
    ("bytes_retrans", "Q", 208),
)
_NAMES: Final = tuple(name for name, _, _ in _FIELDS)
_ENDS: Final = tuple(at + struct.calcsize(f"={kind}") for _, kind, at in _FIELDS)
_GAPS: Final = tuple(at - end for (_, _, at), end in zip(_FIELDS, (0, *_ENDS), strict=False))
_LAYOUT: Final = struct.Struct(
    "=" + "".join(f"{gap}x{kind}" for gap, (_, kind, _) in zip(_GAPS, _FIELDS, strict=True))
)
_STATES: Final = (
    *(None, "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"),
    *("CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING"),
)
TCP_INFO: Final = 11
TCP_INFO_BYTES: Final = 512
"""More than any kernel has of it."""
_NO_MIN_RTT: Final = 0xFFFFFFFF
_STATE, _RTT, _RTTVAR, _MIN_RTT, _SEGS_IN, _SEGS_OUT = (
    _NAMES.index(name) for name in ("state", "rtt", "rttvar", "min_rtt", "segs_in", "segs_out")
)
_TRUE_ANYWHERE: Final = frozenset(
    _NAMES.index(name) for name in ("state", "rtt", "rttvar", "snd_cwnd")
)


def parse_tcp_info(data: bytes) -> TCPInfo:
    """Return the fields as far as ``data`` reaches, one byte at least of ``struct tcp_info``."""
    values: list[Any] = list(_LAYOUT.unpack_from(data.ljust(_LAYOUT.size, b"\0")))
    known = bisect_right(_ENDS, len(data))
    values[known:] = [None] * (len(values) - known)
    if values[_SEGS_IN] == 0 == values[_SEGS_OUT]:
        # gVisor returns a long struct with nearly all counters at 0, which would be a lie.
        values = [value if at in _TRUE_ANYWHERE else None for at, value in enumerate(values)]
    _use_our_units(values)
    return TCPInfo(*values)


def _use_our_units(values: list[Any]) -> None:
    state, min_rtt = values[_STATE], values[_MIN_RTT]
    values[_STATE] = _STATES[state] if state < len(_STATES) else None
    if values[_RTT]:
        values[_RTT] /= 1e6
        values[_RTTVAR] /= 1e6
    else:
        # Nothing is measured yet, and rttvar is a mere initial value.
        values[_RTT] = values[_RTTVAR] = None
    values[_MIN_RTT] = None if min_rtt in (None, _NO_MIN_RTT) else min_rtt / 1e6


_COUNTERS: Final = tuple(n for n in _NAMES if n.startswith(("total_", "bytes_", "segs_", "data_")))
_AT_START: Final = TCPInfo(notsent_bytes=0, **dict.fromkeys(_COUNTERS, 0))  # type: ignore[arg-type]


def difference(before: TCPInfo | None, after: TCPInfo) -> TCP:
    """Return what happened from ``before`` to ``after``; without ``before``, from the start.

    Round trips are those of ``after``. For a connection that this side opened: on one it accepted,
    the SYN is not in ``bytes_acked``.
    """
    first = _AT_START if before is None else before
    data_in = _since(first.data_segs_in, after.data_segs_in)
    received = _since(_payload_received(first), _payload_received(after))
    return TCP(
        rtt_ms=_ms(after.rtt),
        min_rtt_ms=_ms(after.min_rtt),
        retransmits=_since(first.total_retrans, after.total_retrans),
        segments_out=_since(first.segs_out, after.segs_out),
        segments_in=_since(first.segs_in, after.segs_in),
        data_segments_out=_since(first.data_segs_out, after.data_segs_out),
        data_segments_in=data_in,
        bytes_acked=_since(_payload_acked(first), _payload_acked(after)),
        # A reset hides from the state whether a FIN came before it.
        bytes_received=0 if data_in == 0 else received,
    )


Delivery = Literal["none_left", "unacknowledged", "partly_acknowledged", "acknowledged"]


def delivery(before: TCPInfo | None, after: TCPInfo | None, sent: int) -> Delivery | None:
    """Return how much of what was sent between the two moments has arrived.

    ``sent`` is how many bytes ``send`` took. The kernel's own count goes before it: a ``sendall``
    that fails does not say how much of its data had left. ``before`` is ``None`` for a plain
    connection's first request; under TLS it must be the moment after the handshake.

    Arrived means in the peer's kernel. That the application has read it, or that the peer is the
    server rather than a proxy, is not said. ``None`` when unknown (Linux before 4.19).
    """
    if after is None:
        return None
    first = _AT_START if before is None else before
    taken = _since(_payload_taken(first), _payload_taken(after))
    acked = _since(_payload_acked(first), _payload_acked(after))
    earlier, waiting = _payload_waiting(first), _payload_waiting(after)
    if taken is None or acked is None or earlier is None or waiting is None:
        return None
    if not taken:
        return None if sent else "none_left"
    if not waiting:
        return "acknowledged"
    # What already waited at the first moment is acknowledged before anything newer.
    return "partly_acknowledged" if acked > earlier else "unacknowledged"


def _payload_acked(info: TCPInfo) -> int | None:
    flags = 2 if info.state == "FIN_WAIT2" else 1
    return None if info.bytes_acked is None else max(info.bytes_acked - flags, 0)


def _payload_received(info: TCPInfo) -> int | None:
    fin = info.state in {"CLOSE_WAIT", "LAST_ACK", "CLOSING"}
    return None if info.bytes_received is None else info.bytes_received - fin


def _payload_taken(info: TCPInfo) -> int | None:
    """How many bytes the kernel was ever given to send."""
    if info.notsent_bytes is None or info.bytes_sent is None or info.bytes_retrans is None:
        return None
    return info.notsent_bytes + info.bytes_sent - info.bytes_retrans


def _payload_waiting(info: TCPInfo) -> int | None:
    """How many of them are not acknowledged. Unlike ``unacked``, a reset does not clear it."""
    taken, acked = _payload_taken(info), _payload_acked(info)
    return None if taken is None or acked is None else max(taken - acked, 0)


def _since(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None or after < before else after - before


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1e3, 3)


# The same number on every architecture but parisc and sparc, where arrival() finds no timestamp.
_SO_TIMESTAMPING: Final[int] = getattr(socket, "SO_TIMESTAMPING", 37)
_RX_SOFTWARE, _SOFTWARE = 1 << 3, 1 << 4
_ANCILLARY_BYTES: Final = 256
# The first of three, by the length of all: of 64 and of 32 bits.
_TIMESPEC: Final = {48: struct.Struct("=qq"), 24: struct.Struct("=ii")}


def enable_timestamps(sock: Any, *, is_tcp: bool = False) -> bool:
    """Have the kernel note when data arrives on ``sock``; return whether it will. Never raises.

    It begins some moments later when no other socket of the machine had asked for it. ``is_tcp`` says
    that it need not be asked of what family it is.
    """
    try:
        if not _LINUX or not (is_tcp or sock.family in (socket.AF_INET, socket.AF_INET6)):
            return False
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING, _RX_SOFTWARE | _SOFTWARE)
    except REFUSALS:
        return False
    return True


def arrival(sock: Any, *, answered: bool = False) -> int | None:
    """Wait for data on ``sock``; return when the kernel got it, in nanoseconds since the epoch.

    Consumes nothing. Data that comes in several segments may be merged while it lies unread; it
    then has the time of the last of them. ``None`` at the end of the stream, without
    ``enable_timestamps``, and when TLS holds the next bytes already.

    ``answered`` says that an answer was read on this connection before. Until then, TLS 1.3 has
    ``None``: its session tickets look like the answer and arrive ahead of it (RFC 8446 §4.6.1).

    Raises what ``sock.recv`` would, ``TimeoutError`` after the socket's timeout included: the
    kernel reports an error only once, so that hiding it here would hide it for good.
    """
    if not _LINUX or not isinstance(sock, socket.socket):
        return None
    if isinstance(sock, ssl.SSLSocket) and not _answer_comes_next(sock, answered):
        return None
    # SSLSocket's own recvmsg refuses; below it lies the plain socket's.
    _, ancillary, _, _ = socket.socket.recvmsg(sock, 1, _ANCILLARY_BYTES, socket.MSG_PEEK)
    return _timestamp(ancillary)


def received(sock: Any, size: int, *, answered: bool = False) -> tuple[bytes, int | None]:
    """Return what ``sock.recv(size)`` would, and what ``arrival`` would have before it.

    Where one call can say both, it does; of several segments it then has the time of the last one.
    """
    if not _LINUX or not isinstance(sock, socket.socket) or isinstance(sock, ssl.SSLSocket):
        arrived = arrival(sock, answered=answered)
        return sock.recv(size), arrived
    data, ancillary, _, _ = socket.socket.recvmsg(sock, size, _ANCILLARY_BYTES)
    return data, _timestamp(ancillary)


def _answer_comes_next(sock: ssl.SSLSocket, answered: bool) -> bool:
    return not sock.pending() and (answered or sock.version() != "TLSv1.3")


def _timestamp(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in ancillary:
        timespec = _TIMESPEC.get(len(data))
        if timespec and level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPING:
            seconds, nanoseconds = timespec.unpack_from(data)
            return (seconds * 1_000_000_000 + nanoseconds) or None
    return None
