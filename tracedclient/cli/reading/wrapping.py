r"""What runtimes put around a line, and how they break a long one: Docker, CRI, ``kubectl --prefix``.

Docker's json-file driver writes ``{"log":"…\n","stream":"stdout","time":"…"}``, and a line of more
than 16 KiB as several, of which only the last has the ``\n``. The files of a CRI runtime have
``TIME stdout F LINE``, where ``P`` marks all pieces but the last. ``kubectl logs --prefix`` writes
``[pod/NAME/CONTAINER] LINE``; it repeats the prefix where a runtime broke a line, at 16 KiB.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.reading.tally import PIECES, TOO_LONG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PARTIAL = 16 * 1024
"""Bytes at which runtimes break a line."""
MAX_JOINED = 1024 * 1024
"""Bytes up to which pieces are joined; what comes after is given up."""

_CRI = re.compile(rb"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([PF])(?::\S*)? ")
_KUBECTL = re.compile(rb"(\[pod/[^\]\s]{1,512}\]) ")
_STAMPED = re.compile(rb"(\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)) ")
_DOCKER = b'{"log":"'


class Line(NamedTuple):
    """A line as the application wrote it."""

    offset: int
    """Of its first piece, in the plain bytes of its file."""
    data: bytes
    """Without the newline."""
    written: bytes = b""
    """When the runtime took it, where it says so; ISO 8601."""
    lack: str = ""
    """What it is not whole for, of those in ``tally``."""


class _Piece(NamedTuple):
    stream: bytes
    content: bytes
    written: bytes
    last: bool


def is_wrapped(lines: Iterable[bytes]) -> bool:
    """Whether any of the first ``lines`` of a file has something around it."""
    return any(_piece(line) is not None for line in lines)


def unwrapped(lines: Iterable[tuple[int, bytes]]) -> Iterator[Line]:
    """Yield the lines that the applications wrote, from offsets and lines as they are stored.

    The pieces of one stream are joined, also where another stream's lines came in between. A line
    comes when its last piece does, and one whose end is missing comes last.
    """
    joiner = Joiner()
    for offset, stored in lines:
        line = joiner.add(offset, stored)
        if line is not None:
            yield line
    yield from joiner.rest()


class Joiner:
    """The pieces of lines that are not complete yet, of every stream in one file."""

    def __init__(self) -> None:
        self._begun: dict[bytes, Line] = {}

    def add(self, offset: int, stored: bytes) -> Line | None:
        """Take a line as it is stored, and return the line that it completes, if it does."""
        stored = stored.rstrip(b"\r\n")
        piece = _piece(stored)
        if piece is None:
            return Line(offset, stored)
        line = _joined(self._begun.pop(piece.stream, None), piece, offset)
        if piece.last:
            return line
        self._begun[piece.stream] = line
        return None

    def rest(self) -> Iterator[Line]:
        """Yield the lines whose end never came."""
        for line in self._begun.values():
            yield line._replace(lack=PIECES)


def _joined(begun: Line | None, piece: _Piece, offset: int) -> Line:
    if begun is None:
        return Line(offset, piece.content, piece.written)
    if len(begun.data) + len(piece.content) > MAX_JOINED:
        return begun._replace(lack=TOO_LONG)
    return begun._replace(data=begun.data + piece.content)


def _piece(line: bytes) -> _Piece | None:
    if line.startswith(_DOCKER):
        return _docker(line)
    if found := _CRI.match(line):
        written, stream, tag = found.groups()
        return _Piece(stream, line[found.end() :], written, tag == b"F")
    if found := _KUBECTL.match(line):
        return _kubectl(found[1], line[found.end() :])
    return None


def _docker(line: bytes) -> _Piece | None:
    try:
        entry = json.loads(line)
        log, stream = entry["log"], str(entry.get("stream"))
        content = log.encode("utf-8", "surrogatepass")
    except (ValueError, KeyError, AttributeError, RecursionError):
        return None
    written = str(entry.get("time", "")).encode("ascii", "replace")
    return _Piece(stream.encode(), content.rstrip(b"\r\n"), written, content.endswith(b"\n"))


def _kubectl(prefix: bytes, content: bytes) -> _Piece:
    written = b""
    if found := _STAMPED.match(content):
        written, content = found[1], content[found.end() :]
    return _Piece(prefix, content, written, len(content) != PARTIAL)
