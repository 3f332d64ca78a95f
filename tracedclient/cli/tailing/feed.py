"""Files that grow, or the standard input → the traces in them, as they come."""

from __future__ import annotations

import os
import select
import sys
import time
from typing import TYPE_CHECKING, Protocol

from tracedclient.cli.reading.follow import Followed
from tracedclient.cli.reading.inputs import STDIN
from tracedclient.cli.reading.records import understood
from tracedclient.cli.reading.wrapping import Joiner

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tracedclient.trace.model import TraceResult

POLL_S = 0.2
"""Between two looks at the files."""
_SIGN = b"tracedclient.trace/"
_BLOCK = 64 * 1024
_MAX_LINE = 1024 * 1024


class Source(Protocol):
    """Something that lines come from."""

    name: str

    def new_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield offset and bytes of every line completed since last asked."""

    def notes(self) -> list[str]:
        """Return what has happened to it since last asked."""

    def is_over(self) -> bool:
        """Whether nothing more can come."""

    def close(self) -> None:
        """Let go of it."""


class File:
    """A file by its name: one that is renamed, truncated, or not there yet, is followed too."""

    def __init__(self, name: str, *, from_end: bool) -> None:
        self.name = name
        self._followed = Followed(name, from_end=from_end)
        if not os.path.lexists(name):
            self._followed.notes.append("is not there yet; waiting for it")

    def new_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield offset and bytes of every line completed since last asked."""
        return self._followed.new_lines()

    def notes(self) -> list[str]:
        """Return what has happened to it since last asked."""
        notes, self._followed.notes = self._followed.notes, []
        return notes

    def is_over(self) -> bool:
        """Never: more may be written."""
        return False

    def close(self) -> None:
        """Close the file."""
        self._followed.close()


class Pipe:
    """The standard input. ``new_lines`` waits for as long as ``POLL_S``."""

    name = "standard input"

    def __init__(self) -> None:
        self._descriptor = sys.stdin.fileno()
        self._begun = b""
        self._over = False

    def new_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield every line completed since last asked, and in the end a last one without its end."""
        if not select.select([self._descriptor], [], [], POLL_S)[0]:
            return
        data = os.read(self._descriptor, _BLOCK)
        self._over = not data
        *lines, self._begun = (self._begun + data).split(b"\n")
        # Of a line that does not end, the end is of no use without its beginning.
        self._begun = self._begun[:_MAX_LINE]
        for line in [*lines, self._begun] if self._over else lines:
            yield 0, line

    def notes(self) -> list[str]:
        """Return nothing: a pipe only ends."""
        return []

    def is_over(self) -> bool:
        """Whether the writer has closed it."""
        return self._over

    def close(self) -> None:
        """Leave the standard input as it is."""


class Feed:
    """The traces of several sources."""

    def __init__(self, names: list[str], oddities: Counter[str], *, from_end: bool) -> None:
        self.sources: list[Source] = [
            Pipe() if name == STDIN else File(name, from_end=from_end) for name in names
        ]
        self._oddities = oddities
        self._joiners = [Joiner() for _ in names]

    def look(self) -> Iterator[TraceResult]:
        """Yield the traces written since last asked."""
        for source, joiner in zip(self.sources, self._joiners, strict=True):
            for offset, stored in source.new_lines():
                line = joiner.add(offset, stored)
                if line is None or _SIGN not in line.data:
                    continue
                entry = understood(line, source.name, ())
                self._oddities.update(entry.oddities)
                if entry.trace is not None:
                    yield entry.trace

    def notes(self) -> list[str]:
        """Return what has happened to the files since last asked."""
        return [f"{source.name} {note}" for source in self.sources for note in source.notes()]

    def is_over(self) -> bool:
        """Whether nothing more can come."""
        return all(source.is_over() for source in self.sources)

    def wait(self) -> None:
        """Let some time pass, unless a pipe has been waited for."""
        if not any(isinstance(source, Pipe) for source in self.sources):
            time.sleep(POLL_S)

    def close(self) -> None:
        """Let go of all sources."""
        for source in self.sources:
            source.close()
