"""What each peer offers to the benchmark: an open client that repeats one job."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


def _nothing() -> None:
    pass


class Client(NamedTuple):
    """An open client.

    repeat   makes so many requests, one after the other, and returns how many bytes the body of
             the last answer had
    close    gives everything back
    check    called once after the first request; raises when the row does not do what its name
             says beyond the body, such as writing a log line
    """

    repeat: Callable[[int], int]
    close: Callable[[], None]
    check: Callable[[], None] = _nothing


def repeated(request: Callable[[], int]) -> Callable[[int], int]:
    """``request``, which makes one request, as ``Client.repeat``."""

    def many(count: int) -> int:
        size = -1
        for _ in repeat(None, count):
            size = request()
        return size

    return many


def shared(many: Callable[[int], int], threads: int) -> Callable[[int], int]:
    """``many`` spread over that many threads; the sum of requests stays as it was asked for."""
    if threads == 1:
        return many

    # Only where it is needed: it costs the other rows memory.
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    pool = ThreadPoolExecutor(threads)

    def spread(count: int) -> int:
        shares = [count // threads + (n < count % threads) for n in range(threads)]
        return min(pool.map(many, [share for share in shares if share]))

    return spread
