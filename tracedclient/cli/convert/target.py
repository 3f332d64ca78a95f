"""Where a conversion goes: the standard output, or a file that is there whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

STDOUT = "-"


@contextmanager
def written(path: str) -> Iterator[BinaryIO]:
    """Give a stream whose bytes are in ``path``, or go to stdout, when the block ends well.

    A file is replaced as a whole then; when the block fails, it stays as it was. Raises ``OSError``.
    """
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif _is_special(path):
        with Path(path).open("wb") as stream:
            yield stream
    else:
        yield from _replaced(os.path.realpath(path))


def _replaced(path: str) -> Iterator[BinaryIO]:
    # Beside it, because only within one file system a file can take another's place at once.
    directory, name = os.path.split(path)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, _mode(path))
            yield stream
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _mode(path: str) -> int:
    try:
        return stat.S_IMODE(Path(path).stat().st_mode)
    except FileNotFoundError:
        # A process can ask for its umask only by setting it.
        umask = os.umask(0o077)
        os.umask(umask)
        return 0o666 & ~umask


def _is_special(path: str) -> bool:
    try:
        return not stat.S_ISREG(Path(path).stat().st_mode)
    except FileNotFoundError:
        return False
