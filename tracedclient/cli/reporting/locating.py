"""Calls of which id and time are known → their lines, by bisection of a time-ordered file.

Lines are written when a call ends, by many threads: a line is near to its place, not at it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.reporting.calls import SIGN, NotCounted, call_of, epoch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

_PROBE = 32 * 1024
_PATIENCE = 32
"""Probes that may pass without any trace."""
_AROUND = (1024 * 1024, 8 * 1024 * 1024)
"""Bytes to either side in which a line is looked for: most are near, some waited in a buffer."""


class Wanted(NamedTuple):
    """A call."""

    verdict_culprit: str
    trace_id: str
    began: int
    """Whole seconds since 1970."""
    duration_ms: float

    @property
    def ended(self) -> float:
        """When its line was written, in seconds since 1970; up to a second too early."""
        return self.began + self.duration_ms / 1000


def lines_of(paths: Iterable[str], calls: Iterable[Wanted]) -> list[bytes] | None:
    """Return the lines of ``calls``; ``None`` when one is not where its time says.

    Raises ``OSError`` for a file that cannot be read.
    """
    missing = set(calls)
    found: list[bytes] = []
    for path in paths:
        with Path(path).open("rb", buffering=0) as file:
            search = _Search(file, Path(path).stat().st_size)
            for call in sorted(missing, key=lambda call: call.ended):
                line = search.line_of(call)
                if line is not None:
                    found.append(line)
                    missing.remove(call)
    return None if missing else found


class _Search:
    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._times: dict[int, float | None] = {}

    def line_of(self, call: Wanted) -> bytes | None:
        place = self._place(call.ended)
        for around in _AROUND:
            start = max(0, place - around)
            self._file.seek(start)
            line = _found(call, self._file.read(place + around - start))
            if line is not None:
                return line
        return None

    def _place(self, moment: float) -> int:
        """Return where lines of ``moment`` are, give or take some."""
        low, high = 0, self._size
        while high - low > _PROBE:
            middle = (low + high) // 2
            time = self._time_at(middle)
            if time is None or time > moment:
                high = middle
            else:
                low = middle
        return low

    def _time_at(self, offset: int) -> float | None:
        """Return when the first trace behind ``offset`` ended; ``None`` when there is none."""
        if offset not in self._times:
            self._times[offset] = self._probe(offset)
        return self._times[offset]

    def _probe(self, offset: int) -> float | None:
        self._file.seek(offset)
        data = b""
        for _ in range(_PATIENCE):
            data += self._file.read(_PROBE)
            begin = data.find(b"\n") + 1
            while (end := data.find(b"\n", begin)) >= 0:
                ended = _ended(data[begin:end])
                if ended is not None:
                    return ended
                begin = end + 1
        return None


def _found(call: Wanted, data: bytes) -> bytes | None:
    sign = call.trace_id.encode()
    at = data.find(sign)
    while at >= 0:
        end = data.find(b"\n", at)
        line = data[data.rfind(b"\n", 0, at) + 1 : end if end >= 0 else None]
        if _is(call, line):
            return line
        at = data.find(sign, at + len(sign))
    return None


def _ended(line: bytes) -> float | None:
    if SIGN not in line:
        return None
    try:
        call = call_of(line)
        return epoch(call.started_at) + call.duration_ms / 1000
    except NotCounted:
        return None


def _is(wanted: Wanted, line: bytes) -> bool:
    try:
        call = call_of(line)
        found = Wanted(
            call.verdict_culprit, call.trace_id, epoch(call.started_at), call.duration_ms
        )
    except NotCounted:
        return False
    return found == wanted
