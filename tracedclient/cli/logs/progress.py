"""How far a long search is, on a terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from tracedclient.cli.quantities import counted, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracedclient.cli.reading.blocks import Block
    from tracedclient.cli.reading.inputs import Input
    from tracedclient.cli.reading.tally import Tally

_PATIENCE_S = 1.0
_EVERY_S = 0.2
_CLEAR = "\r\x1b[K"


class Progress:
    """A line on stderr, where that is a terminal, from the first second on."""

    def __init__(self, tally: Tally, clock: Callable[[], float] = time.monotonic) -> None:
        self._tally = tally
        self._clock = clock
        self._began = clock()
        self._next = self._began + _PATIENCE_S
        self._shown = False
        self._wanted = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def watch(self, blocks: Iterable[Block], found: Input) -> Iterator[Block]:
        """Yield ``blocks`` of ``found`` as they are."""
        if not self._wanted:
            yield from blocks
            return
        for block in blocks:
            if self._clock() >= self._next:
                self._show(block, found)
            yield block

    def end(self) -> None:
        """Take the line away."""
        if self._shown:
            print(_CLEAR, end="", file=sys.stderr, flush=True)

    def _show(self, block: Block, found: Input) -> None:
        now = self._clock()
        self._next = now + _EVERY_S
        self._shown = True
        rate = size(round(self._tally.bytes / (now - self._began)))
        print(
            f"{_CLEAR}file {self._tally.files}{_share(block, found)}, {rate}/s,"
            f" {counted(self._tally.hits, 'line', 'lines')} found",
            end="",
            file=sys.stderr,
            flush=True,
        )


def _share(block: Block, found: Input) -> str:
    if not found.seekable:
        return ""
    total = os.stat(found.name).st_size  # noqa: PTH116 - the name as it was given
    # Of a compressed file the plain bytes are more than there are on the disk.
    done = (block.offset + block.end) / total if total else 1.0
    return f" {min(done, 1.0):.0%}" if done <= 1 else ""
