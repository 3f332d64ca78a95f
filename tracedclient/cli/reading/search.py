"""Blocks → the lines that hold one of a few byte strings; nothing is decoded or split before."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from tracedclient.cli.reading.memory import find
from tracedclient.cli.reading.tally import TOO_LONG
from tracedclient.cli.reading.wrapping import PARTIAL, Line, is_wrapped, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracedclient.cli.reading.blocks import Block

_SNIFFED = 20
"""Lines at a file's beginning by which is decided whether a runtime wrote it."""
_NEIGHBOURS = 16 * PARTIAL
"""Bytes before and after a block in which the other pieces of its lines are looked for."""
_SHOWN = 4096
"""Bytes that are kept of a line that is too long to be held."""


def lines_with(blocks: Iterable[Block], needles: Sequence[bytes]) -> Iterator[Line]:
    """Yield the lines of ``blocks`` that hold one of ``needles``, in their order.

    What Docker, CRI or kubectl put around them is taken off, and pieces of a line are joined, where
    the beginning of the file shows that it is theirs. Of a line longer than ``blocks.MAX_LINE``
    only the beginning is kept.
    """
    stream = iter(blocks)
    first = next(stream, None)
    if first is None:
        return
    whole = chain([first], stream)
    search = _wrapped if is_wrapped(_head(first)) else _plain
    yield from search(whole, needles)


def every_line(blocks: Iterable[Block]) -> Iterator[Line]:
    """Yield all lines of ``blocks`` as the applications wrote them."""
    yield from unwrapped(_stored(blocks))


def _stored(blocks: Iterable[Block]) -> Iterator[tuple[int, bytes]]:
    for block in blocks:
        yield from _split(bytes(block.data[: block.end]), block.offset)


def _head(block: Block) -> list[bytes]:
    lines = bytes(block.data[: min(block.end, 4 * PARTIAL)]).split(b"\n", _SNIFFED)
    return lines[:_SNIFFED]


def _plain(blocks: Iterable[Block], needles: Sequence[bytes]) -> Iterator[Line]:
    long = _LongLine(needles)
    for block in blocks:
        if block.piece:
            yield from long.add(block)
        else:
            yield from _in_block(block, needles)
    yield from long.end()


def _in_block(block: Block, needles: Sequence[bytes]) -> list[Line]:
    places = sorted({place for needle in needles for place in _places(block, needle)})
    return [
        Line(block.offset + start, bytes(block.data[start:end]).rstrip(b"\r\n"))
        for start, end in places
    ]


def _places(block: Block, needle: bytes) -> Iterator[tuple[int, int]]:
    data, at, last = block.data, 0, block.end
    while (found := find(data, needle, at, last)) >= 0:
        start = data.rfind(b"\n", at, found) + 1 or at
        at = data.find(b"\n", found, last) + 1 or last
        yield start, at


class _LongLine:
    """A line that comes in pieces: only its beginning is kept, and whether it had a needle."""

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._needles = needles
        self._overlap = max(map(len, needles)) - 1
        self._offset: int | None = None
        self._head = self._tail = b""
        self._found = False

    def add(self, block: Block) -> Iterator[Line]:
        if self._offset is None:
            self._offset, self._head = block.offset, bytes(block.data[:_SHOWN])
        seam = self._tail + bytes(block.data[: min(self._overlap, block.end)])
        self._found = self._found or any(
            needle in seam or find(block.data, needle, 0, block.end) >= 0
            for needle in self._needles
        )
        self._tail = bytes(block.data[max(0, block.end - self._overlap) : block.end])
        if block.data[block.end - 1 : block.end] == b"\n":
            yield from self.end()

    def end(self) -> Iterator[Line]:
        if self._found and self._offset is not None:
            yield Line(self._offset, self._head, lack=TOO_LONG)
        self._offset, self._head, self._tail, self._found = None, b"", b"", False


def _wrapped(blocks: Iterable[Block], needles: Sequence[bytes]) -> Iterator[Line]:
    """Search as ``_plain`` does, and put together the pieces of each line.

    A block is taken apart together with the end of the one before, where another stream's pieces
    may have begun, and the beginning of the one after, where its own may go on.
    """
    for before, block, after in _with_neighbours(blocks):
        data = block.data + after.data
        if not any(needle in data for needle in needles):
            continue
        for line in unwrapped(_split(before.data + data, before.offset)):
            begins_here = 0 <= line.offset - block.offset < len(block.data)
            if begins_here and any(needle in line.data for needle in needles):
                yield line


class _Copied:
    def __init__(self, offset: int, data: bytes) -> None:
        self.offset = offset
        self.data = data

    def none(self) -> _Copied:
        return _Copied(self.offset, b"")

    def tail(self) -> _Copied:
        start = max(0, len(self.data) - _NEIGHBOURS)
        start = self.data.find(b"\n", start) + 1 if start else 0
        return _Copied(self.offset + start, self.data[start:])

    def head(self) -> _Copied:
        end = self.data.find(b"\n", _NEIGHBOURS) + 1
        return _Copied(self.offset, self.data[:end] if end else self.data)


def _with_neighbours(blocks: Iterable[Block]) -> Iterator[tuple[_Copied, _Copied, _Copied]]:
    nothing = _Copied(0, b"")
    before = block = nothing
    copies = (_Copied(block.offset, bytes(block.data[: block.end])) for block in blocks)
    for after in chain(copies, [nothing]):
        if block.data:
            yield before.tail() if before.data else block.none(), block, after.head()
        before, block = block, after


def _split(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    for line in data.split(b"\n"):
        if line:
            yield offset, line
        offset += len(line) + 1
