"""What can be done to one direction of a connection, in the vocabulary of toxiproxy.

The toxics and their attributes are named as in toxiproxy's documentation
(https://github.com/Shopify/toxiproxy#toxics), but in seconds and bytes. ``toxic_proxy`` applies them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from faults.toxic_proxy import Link

Chunks: TypeAlias = Iterator[bytes]
Stream: TypeAlias = Literal["upstream", "downstream"]
"""Towards the server, and towards the client."""


class Toxic(Protocol):
    """Takes the chunks of one direction and gives those that go on, when they go on."""

    def spoil(self, chunks: Chunks, link: Link) -> Chunks: ...


@dataclass(frozen=True)
class Latency:
    """Delays all data by ``latency`` seconds, give or take ``jitter``."""

    latency: float
    jitter: float = 0.0

    def spoil(self, chunks: Chunks, link: Link) -> Chunks:
        for chunk in chunks:
            link.sleep(self.latency + link.random.uniform(-self.jitter, self.jitter))
            yield chunk


@dataclass(frozen=True)
class Bandwidth:
    """Lets through ``rate`` bytes a second, a hundredth of that at a time."""

    rate: int

    def spoil(self, chunks: Chunks, link: Link) -> Chunks:
        for piece in _sliced(chunks, lambda: max(1, self.rate // 100)):
            link.sleep(len(piece) / self.rate)
            yield piece


@dataclass(frozen=True)
class SlowClose:
    """Delays the end of the stream by ``delay`` seconds."""

    delay: float

    def spoil(self, chunks: Chunks, link: Link) -> Chunks:
        yield from chunks
        link.sleep(self.delay)


@dataclass(frozen=True)
class Timeout:
    """Stops all data, and closes the connection after ``timeout`` seconds; 0 is never."""

    timeout: float = 0.0

    def spoil(self, chunks: Chunks, link: Link) -> Chunks:
        for _ in chunks:
            link.sleep(self.timeout or None)
            link.close()
        yield from ()


@dataclass(frozen=True)
class ResetPeer:
    """Stops all data, and resets the connection ``timeout`` seconds after the first."""

    timeout: float = 0.0

    def spoil(self, chunks: Chunks, link: Link) -> Chunks:
        for _ in chunks:
            link.sleep(self.timeout)
            link.reset()
        yield from ()


@dataclass(frozen=True)
class Slicer:
    """Cuts data into pieces of ``average_size`` bytes, give or take ``size_variation``, and waits
    ``delay`` seconds after each.
    """

    average_size: int
    size_variation: int = 0
    delay: float = 0.0

    def spoil(self, chunks: Chunks, link: Link) -> Chunks:
        low, high = self.average_size - self.size_variation, self.average_size + self.size_variation
        for piece in _sliced(chunks, lambda: max(1, link.random.randint(low, high))):
            yield piece
            link.sleep(self.delay)


@dataclass(frozen=True)
class LimitData:
    """Closes the connection once ``bytes`` bytes have gone through."""

    bytes: int

    def spoil(self, chunks: Chunks, link: Link) -> Chunks:
        left = self.bytes
        for chunk in chunks:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                link.close()


def _sliced(chunks: Chunks, size: Callable[[], int]) -> Chunks:
    for chunk in chunks:
        at = 0
        while at < len(chunk):
            end = at + size()
            yield chunk[at:end]
            at = end
