"""What the kernel counted between two looks at a connection, without naming what nobody asks for.

``kernel.difference`` knows every field of ``struct tcp_info`` and what each kernel leaves out. On a
connection that is well, be it that its peer has closed it by now, ten fields and eight subtractions
say the same; whatever else comes is left to it. ``tests/transport/test_counted.py`` holds the two to
the same facts.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import Any, Final

from msgspec.structs import replace

from tracedclient.trace.model import TCP
from tracedclient.transport.kernel import (
    REFUSALS,
    TCP_INFO,
    TCP_INFO_BYTES,
    delivery,
    difference,
    parse_tcp_info,
)

_LINUX = sys.platform == "linux"

# linux/tcp.h: state, rtt, total_retrans, bytes_acked, bytes_received, segs_out, segs_in, min_rtt,
# data_segs_in, data_segs_out; up to the last that ``difference`` reads.
_seen: Final = struct.Struct("=B67xI28xI16xQQII4xIII").unpack_from
_ESTABLISHED: Final = 1
_CLOSE_WAIT: Final = 8
_NO_MIN_RTT: Final = 0xFFFFFFFF


def look(sock: Any) -> bytes | None:
    """Return ``struct tcp_info`` of ``sock`` as it is now; ``None`` where there is none to have."""
    if not _LINUX:
        return None
    try:
        data: bytes = sock.getsockopt(socket.IPPROTO_TCP, TCP_INFO, TCP_INFO_BYTES)
    except REFUSALS:
        return None
    return data or None


def between(before: bytes, after: bytes, *, sent: int | None = None) -> TCP:
    """Return what happened between the two looks; with ``sent``, whether those bytes arrived."""
    if sent is not None:
        first, last = parse_tcp_info(before), parse_tcp_info(after)
        return replace(difference(first, last), delivery=delivery(first, last, sent))
    try:
        was, _, retrans0, acked0, got0, out0, in0, _, data_in0, data_out0 = _seen(before)
        now, rtt, retrans, acked, got, out, in_, floor, data_in, data_out = _seen(after)
    except struct.error:
        # An older kernel, which says less.
        return difference(parse_tcp_info(before), parse_tcp_info(after))
    if now == _CLOSE_WAIT:
        # The peer's FIN counts as one byte.
        now, got = _ESTABLISHED, got - 1
    is_usual = (
        was == now == _ESTABLISHED
        # The SYN counts as one byte: fewer are acknowledged only before the connection is up.
        and 0 < acked0 <= acked
        and got0 <= got
        and retrans0 <= retrans
        and 0 < out0 <= out
        and 0 < in0 <= in_
        and data_in0 <= data_in
        and data_out0 <= data_out
        and rtt
        and floor != _NO_MIN_RTT
    )
    if not is_usual:
        return difference(parse_tcp_info(before), parse_tcp_info(after))
    return TCP(
        rtt_ms=rtt / 1000,
        min_rtt_ms=floor / 1000,
        retransmits=retrans - retrans0,
        segments_out=out - out0,
        segments_in=in_ - in0,
        data_segments_out=data_out - data_out0,
        data_segments_in=data_in - data_in0,
        bytes_acked=acked - acked0,
        bytes_received=got - got0 if data_in > data_in0 else 0,
    )
