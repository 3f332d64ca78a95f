"""Bytes → blocks of whole lines, in one buffer however long the file and its lines are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.reading.compression import Source

BLOCK = 256 * 1024
"""Bytes of one read: the buffer stays in the processor's second-level cache."""
MAX_LINE = 1024 * 1024
"""Bytes up to which a line is held in memory; of a longer one, only pieces are seen."""


class Block(NamedTuple):
    """Whole lines, in ``data[:end]``; valid until the next block is asked for."""

    offset: int
    """Where in the plain bytes it begins."""
    data: bytearray
    end: int
    piece: bool = False
    """A part of one line that is longer than ``MAX_LINE``. Its last part ends in a newline."""


def blocks(source: Source, *, offset: int = 0, limit: int | None = None) -> Iterator[Block]:
    """Yield the blocks of at most ``limit`` bytes from the place where ``source`` stands.

    ``offset`` is where that is. The last line need not end in a newline.

    Raises what ``source`` raises, after yielding all that was read before it.
    """
    reader = _Reader(source, offset, limit)
    while reader.fill():
        yield from reader.whole_lines()
    yield from reader.rest()
    if reader.error is not None:
        raise reader.error


class _Reader:
    def __init__(self, source: Source, offset: int, limit: int | None) -> None:
        self.error: OSError | None = None
        self._source = source
        self._offset = offset
        self._left = limit
        self._buffer = bytearray(MAX_LINE + BLOCK)
        self._view = memoryview(self._buffer)
        self._held = 0
        self._filled = 0
        self._in_long_line = False

    def fill(self) -> bool:
        """Read on behind what is held; say whether anything came."""
        most = BLOCK if self._left is None else min(BLOCK, self._left)
        count = self._read(most) if most else 0
        self._filled = self._held + count
        if self._left is not None:
            self._left -= count
        return count > 0

    def whole_lines(self) -> Iterator[Block]:
        if self._in_long_line:
            yield from self._end_of_long_line()
        end = self._buffer.rfind(b"\n", self._held, self._filled) + 1
        if end:
            yield Block(self._offset, self._buffer, end)
            self._drop(end)
        elif self._filled > MAX_LINE:
            self._in_long_line = True
            yield Block(self._offset, self._buffer, self._filled, piece=True)
            self._drop(self._filled)
        self._held = self._filled

    def rest(self) -> Iterator[Block]:
        if self._held:
            yield Block(self._offset, self._buffer, self._held, piece=self._in_long_line)

    def _read(self, most: int) -> int:
        try:
            return self._source.readinto(self._view[self._held : self._held + most]) or 0
        except OSError as error:
            self.error = error
            return 0

    def _end_of_long_line(self) -> Iterator[Block]:
        newline = self._buffer.find(b"\n", 0, self._filled)
        end = newline + 1 or self._filled
        yield Block(self._offset, self._buffer, end, piece=True)
        self._in_long_line = newline < 0
        self._drop(end)

    def _drop(self, end: int) -> None:
        left = self._filled - end
        self._view[:left] = self._view[end : self._filled]
        self._offset += end
        self._filled = left
        self._held = 0
