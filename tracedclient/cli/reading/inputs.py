"""Arguments → files: ``-``, paths, globs, and directories with all that is beneath them."""

from __future__ import annotations

import os
import sys
from glob import glob, has_magic
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STDIN = "-"


class Input(NamedTuple):
    """A file to read, by its path, or ``-`` for the standard input."""

    name: str
    seekable: bool
    """Whether it is a regular file, which may be read twice and from the middle."""


class Unreadable(NamedTuple):
    """A name that led to nothing that can be read."""

    name: str
    why: str


def given(names: list[str]) -> list[str]:
    """Return ``names``, or ``-`` for the pipe that leads here, when there are none.

    Raises ``ValueError`` on a terminal: whoever forgot a name would wait, and nothing would tell why.
    A ``-`` among the names is taken at its word.
    """
    if not names and sys.stdin.isatty():
        raise ValueError("no FILE is given, and no pipe leads here")
    return names or [STDIN]


def inputs(names: Iterable[str]) -> Iterator[Input | Unreadable]:
    """Yield what the ``names`` stand for, each file once however often it is named."""
    seen: set[tuple[int, int] | str] = set()
    for name in names:
        for found in _expanded(name):
            key = _identity(found)
            if key not in seen:
                seen.add(key)
                yield found


def _expanded(name: str) -> Iterator[Input | Unreadable]:
    if name == STDIN:
        yield Input(STDIN, seekable=False)
    elif has_magic(name) and not os.path.lexists(name):
        matches = sorted(glob(name, recursive=True))  # noqa: PTH207 - as below
        for match in matches:
            yield from _at(match)
        if not matches:
            yield Unreadable(name, "no file matches")
    else:
        yield from _at(name)


def _at(path: str) -> Iterator[Input | Unreadable]:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a Path would lose a leading ./
    except (OSError, ValueError) as error:
        yield Unreadable(path, getattr(error, "strerror", None) or str(error))
        return
    if S_ISDIR(mode):
        yield from _beneath(path)
    else:
        yield Input(path, seekable=S_ISREG(mode))


def _beneath(directory: str) -> Iterator[Input | Unreadable]:
    failed: list[Unreadable] = []

    def note(error: OSError) -> None:
        failed.append(Unreadable(str(error.filename), error.strerror or str(error)))

    for where, below, names in os.walk(directory, onerror=note):
        below.sort()
        for name in sorted(names):
            path = os.path.join(where, name)  # noqa: PTH118 - as above
            # A pipe or a device that lies about in a directory would be waited for.
            if os.path.isfile(path):  # noqa: PTH113
                yield Input(path, seekable=True)
    yield from failed


def _identity(found: Input | Unreadable) -> tuple[int, int] | str:
    try:
        known = os.stat(found.name)  # noqa: PTH116
    except (OSError, ValueError):
        return found.name
    return known.st_dev, known.st_ino
