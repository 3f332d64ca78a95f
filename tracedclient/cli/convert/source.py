"""Log files → the traces in them, and a count of what could not be read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from tracedclient.cli.timeline import rows
from tracedclient.trace.schema import from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.trace.model import TraceResult

STDIN = "-"

_SIGN = b'"tracedclient.trace/'
_MAX_LINE = 1024 * 1024
"""Bytes up to which a line is held in memory; no trace is nearly as long."""


class Source:
    """The traces of some files, ``-`` being the standard input; iterate over it once."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.found = 0
        self.damaged = 0
        """Lines that say they are traces and cannot be read as one."""
        self.unreadable: list[str] = []
        """``NAME: why``."""

    def __iter__(self) -> Iterator[TraceResult]:
        for name in self._names:
            try:
                yield from self._file(name)
            except OSError as error:
                shown = "standard input" if name == STDIN else name
                self.unreadable.append(f"{shown}: {error.strerror or error}")

    def _file(self, name: str) -> Iterator[TraceResult]:
        if name == STDIN:
            yield from self._traces(sys.stdin.buffer)
            return
        with Path(name).open("rb") as file:
            yield from self._traces(file)

    def _traces(self, file: BinaryIO) -> Iterator[TraceResult]:
        for line in _lines(file):
            if _SIGN not in line:
                continue
            trace = _trace(line)
            if trace is None:
                self.damaged += 1
            else:
                self.found += 1
                yield trace


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines; of one that is too long, its first part and its rest each as one."""
    while line := file.readline(_MAX_LINE):
        yield line


def _trace(line: bytes) -> TraceResult | None:
    # A runtime may have put its own words before the object.
    _, brace, rest = line.partition(b"{")
    try:
        trace = from_json(brace + rest)
        # Every time in it has to be one.
        rows(trace)
    except (msgspec.MsgspecError, ValueError, OverflowError):
        return None
    return trace
