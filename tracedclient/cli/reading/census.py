"""What there was to search, when nothing was found: lines, traces, their times, ids that are near."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracedclient.cli.reading.clock import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.reading.blocks import Block

_RECORD = re.compile(
    rb'\\?"schema\\?"\s?:\s?\\?"tracedclient\.trace/[^{}\n]*?\\?"trace_id\\?"\s?:\s?\\?"([^"\\]{1,128})'
)
_ONLY_SOME = re.compile(rb'\\?"emit_reason\\?"')
_AFFIX = 6
"""Characters at either end that two ids have in common when one of them was mistyped."""
_MAX_NEAR = 5


class Census:
    """Counts over blocks; ``wanted`` is the id that was not found."""

    def __init__(self, wanted: str) -> None:
        self.lines = 0
        self.traces = 0
        self.only_some = 0
        """Traces written because of ``emit``: those that failed or were slow."""
        self.first: float | None = None
        self.last: float | None = None
        self.near: list[str] = []
        self._wanted = wanted

    def watch(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield ``blocks`` as they are, and count what is in them."""
        for block in blocks:
            self.add(block)
            yield block

    def add(self, block: Block) -> None:
        """Count ``block``."""
        data = bytes(block.data[: block.end])
        # A last line may end without a newline; a piece of a long one is none.
        self.lines += data.count(b"\n") + (not block.piece and not data.endswith(b"\n"))
        self._times(data)
        before = self.traces
        for found in _RECORD.finditer(data):
            self.traces += 1
            self._consider(found[1])
        if self.traces > before:
            self.only_some += len(_ONLY_SOME.findall(data))

    def _times(self, data: bytes) -> None:
        begin = data.rfind(b"\n", 0, len(data) - 1) + 1
        for line in (data[: data.find(b"\n") + 1 or None], data[begin:]):
            moment = time_of(line[:65536])
            if moment is not None:
                self.first = moment if self.first is None else min(self.first, moment)
                self.last = moment if self.last is None else max(self.last, moment)

    def _consider(self, found: bytes) -> None:
        if len(self.near) >= _MAX_NEAR:
            return
        trace_id = found.decode("utf-8", "backslashreplace")
        if _near(self._wanted, trace_id) and trace_id not in self.near:
            self.near.append(trace_id)


def _near(wanted: str, other: str) -> bool:
    if wanted[:_AFFIX] == other[:_AFFIX] or wanted[-_AFFIX:] == other[-_AFFIX:]:
        return True
    if len(wanted) != len(other):
        return False
    return sum(a != b for a, b in zip(wanted, other, strict=True)) <= 2
