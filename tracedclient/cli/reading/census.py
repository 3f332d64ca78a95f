"""What there was to search, when nothing was found: lines, traces, their times, ids that are near."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracedclient.cli.reading.clock import time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.reading.blocks import Block

_SCHEMA = b"tracedclient.trace/"
_KEY = b"schema"
_NEAR = 16
"""Bytes before the schema's name in which its key is, with quotes that may be escaped."""
_ID = re.compile(rb'trace_id\\?"\s?:\s?\\?"([^"\\]{1,128})')
_WITHIN = 256
"""Bytes after it in which the id is: it is the next field."""
_ONLY_SOME = b"emit_reason"
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
        self._records(data)
        if self.traces > before:
            self.only_some += data.count(_ONLY_SOME)

    def _records(self, data: bytes) -> None:
        # Not by one pattern: without a literal beginning it would be tried at every byte.
        at = data.find(_SCHEMA)
        while at >= 0:
            if _KEY in data[max(0, at - _NEAR) : at]:
                self.traces += 1
                if found := _ID.search(data, at, at + _WITHIN):
                    self._consider(found[1])
            at = data.find(_SCHEMA, at + 1)

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
    # Two wrong characters leave one third as it is; that is quickly seen of a million ids.
    third = len(wanted) // 3
    middle = slice(third, 2 * third)
    if len(wanted) != len(other) or wanted[middle] != other[middle]:
        return False
    return sum(a != b for a, b in zip(wanted, other, strict=True)) <= 2
