"""Times → counts in buckets that grow by 2 % each → percentiles within 1 %, however many they are.

Exact counts need no sampling, and histograms of several files, or of several engines, add up.
"""

from __future__ import annotations

import math

GROWTH = 1.02
"""Upper edge of a bucket by its lower one: a value in it is at most 1 % from its middle."""
UNIT_MS = 0.001
"""The lower edge of bucket 0, which also takes everything shorter."""
LARGEST = 1e15
"""In ``UNIT_MS``: 30,000 years. What is longer counts as that."""
SCALE = 1 / math.log(GROWTH)

MIN_CALLS = 20
"""Fewer have no percentile worth the name."""
_Z = 2.576
"""Standard deviations that 99 % lie within."""
_log = math.log
_LAST = int(_log(LARGEST) * SCALE)


def bucket_of(ms: float) -> int:
    """Return the bucket of ``ms``; DuckDB computes the same."""
    units = ms / UNIT_MS
    if 1.0 < units < LARGEST:
        return int(_log(units) * SCALE)
    return 0 if units <= 1.0 else _LAST


def value_of(bucket: int) -> float:
    """Return the middle of a bucket, in milliseconds."""
    return UNIT_MS * math.exp((bucket + 0.5) / SCALE)


class Histogram:
    """Counts by bucket; the number, sum, least and greatest of the values are exact."""

    __slots__ = ("count", "counts", "least", "most", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.least = math.inf
        self.most = 0.0

    def add(self, ms: float) -> None:
        """Count one value."""
        bucket = bucket_of(ms)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.count += 1
        self.total += ms
        self.least = min(self.least, ms)
        self.most = max(self.most, ms)

    def add_bucket(self, bucket: int, count: int, total: float, least: float, most: float) -> None:
        """Count ``count`` values of one bucket: their sum, the least and the greatest of them."""
        self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.count += count
        self.total += total
        self.least = min(self.least, least)
        self.most = max(self.most, most)

    def merge(self, other: Histogram) -> None:
        """Count all that ``other`` has counted."""
        for bucket, count in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + count
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)

    def percentile(self, share: float) -> float | None:
        """Return what ``share`` of the values do not exceed (nearest rank), within 1 %.

        ``None`` when they are too few to tell: 20 for the median and the 95th, 100 for the 99th.
        """
        if not self._tells(share):
            return None
        return self._at(math.ceil(share * self.count))

    def interval(self, share: float) -> tuple[float, float] | None:
        """Return where the percentile of all calls like these lies with 99 % confidence.

        By order statistics, which assume nothing but that the calls are independent.
        """
        if not self._tells(share):
            return None
        middle = share * self.count
        margin = _Z * math.sqrt(self.count * share * (1 - share))
        return self._at(math.floor(middle - margin)), self._at(math.ceil(middle + margin) + 1)

    def _tells(self, share: float) -> bool:
        # The rounding is for 1 - 0.95, which is a little less than a twentieth.
        return self.count >= max(MIN_CALLS, math.ceil(round(1 / (1 - share), 6)))

    def _at(self, rank: int) -> float:
        rank = min(max(rank, 1), self.count)
        seen = 0
        for bucket in sorted(self.counts):
            seen += self.counts[bucket]
            if seen >= rank:
                return min(max(value_of(bucket), self.least), self.most)
        return self.most
