"""What surrounded an exchange, where it is worth a word: the network beneath, this process above."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.quantities import counted, duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.trace.model import TCP, Exchange

_NOTABLE_MS = 10.0
_NOTABLE_SHARE = 0.2
_REMOTE_MS = 1.0
"""A round trip that takes less is within one machine or room, and explains nothing."""
_MANY_READS = 8
_SMALL_READ = 1024
"""Bytes; fewer than a segment holds on any ordinary path."""

_DELIVERY = {
    "none_left": "no byte of the request left this machine",
    "unacknowledged": "no byte of the request was acknowledged",
    "partly_acknowledged": "only part of the request was acknowledged",
    "acknowledged": "all of the request was acknowledged",
}
_TELLING = ("acknowledged", "left this machine")


def conditions(exchange: Exchange, *, told: str = "") -> Iterator[str]:
    """Yield what the kernel and the process saw of ``exchange`` that is out of the ordinary.

    What became of the request is left out where ``told`` has it.
    """
    if exchange.tcp is not None:
        yield from _network(exchange.tcp, told)
    yield from _reads(exchange)
    yield from _process(exchange)


def _network(tcp: TCP, told: str) -> Iterator[str]:
    # The mean has the peer's own delays in it, the least has the way alone.
    if tcp.rtt_ms is not None and (tcp.min_rtt_ms or tcp.rtt_ms) >= _REMOTE_MS:
        yield f"round trip {duration(tcp.rtt_ms)}{_best(tcp)}"
    if tcp.retransmits:
        sent = f" of {tcp.segments_out}" if tcp.segments_out else ""
        yield f"{counted(tcp.retransmits, 'segment', 'segments')}{sent} sent again"
    if tcp.delivery is not None and not any(word in told for word in _TELLING):
        yield _DELIVERY.get(tcp.delivery, tcp.delivery)


def _best(tcp: TCP) -> str:
    best = tcp.min_rtt_ms
    return f" (at best {duration(best)})" if best and tcp.rtt_ms and tcp.rtt_ms > 2 * best else ""


def _reads(exchange: Exchange) -> Iterator[str]:
    reads, received = exchange.reads or 0, exchange.bytes_received or 0
    if reads >= _MANY_READS and received < reads * _SMALL_READ:
        yield f"{reads} reads of {size(received // reads)} on average"
    if _is_notable(exchange.longest_silence_ms, exchange):
        yield f"longest silence {duration(exchange.longest_silence_ms or 0.0)}"


def _process(exchange: Exchange) -> Iterator[str]:
    if (exchange.buffered_ms or 0.0) >= _NOTABLE_MS:
        lay = duration(exchange.buffered_ms or 0.0)
        yield f"the answer lay {lay} in the kernel before this process read it"
    if exchange.throttled_ms:
        yield f"held back by the CPU limit for {duration(exchange.throttled_ms)}"
    if _is_notable(exchange.cpu_ms, exchange):
        yield f"CPU time {duration(exchange.cpu_ms or 0.0)}"


def _is_notable(ms: float | None, exchange: Exchange) -> bool:
    return ms is not None and ms >= max(_NOTABLE_MS, exchange.duration_ms * _NOTABLE_SHARE)
