"""The flag in a file: a Kubernetes ConfigMap, consul-template, confd, an editor.

By content, not by time: a rollback brings back an older time stamp, and a ConfigMap is swapped
under a symbolic link. inotify would miss that swap, so the file is looked at instead.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.source import (
    Absent,
    Document,
    Fetched,
    FlagSource,
    NotModified,
    SourceError,
)

if TYPE_CHECKING:
    import threading

_SWAP = 0.05
"""Seconds that a program may take between renaming the old file away and the new one in."""

_Identity: TypeAlias = tuple[str, int, int, int, int, int]


class FileSource(FlagSource):
    """A regular file that holds a flag document. No file: off.

    A look is one ``stat`` when nothing changed. A mounted ConfigMap follows within a minute or so
    (the kubelet's sync period); one mounted by ``subPath`` never does.

    Raises ``TypeError`` and ``ValueError`` when ``path`` cannot be a path.
    """

    immediate = True
    recheck = 60.0

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = _absolute(path)
        self.name = f"file:{self._path}"
        self._seen: tuple[_Identity, str] | None = None

    def fetch(
        self,
        previous: str | None,
        *,
        wait: float,  # noqa: ARG002 - a file cannot notify
        cancel: threading.Event,
    ) -> Fetched:
        """Look at the file. Raises ``SourceError`` when it is there, but cannot be read."""
        try:
            return self._look(previous)
        except FileNotFoundError:
            return self._look_again(previous, cancel)

    def _look_again(self, previous: str | None, cancel: threading.Event) -> Fetched:
        if self._seen is not None and not cancel.wait(_SWAP):
            with suppress(FileNotFoundError):
                return self._look(previous)
        self._seen = None
        return Absent()

    def _look(self, previous: str | None) -> Document | NotModified:
        try:
            if self._seen == (self._identity(self._path.stat()), previous):
                return NotModified()
            document = self._read()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise SourceError(f"cannot read {self._path}: {error.strerror}") from error
        return NotModified() if document.revision == previous else document

    def _read(self) -> Document:
        with open(self._path, "rb", opener=_open_without_waiting) as file:
            identity = self._identity(os.fstat(file.fileno()))
            body = file.read(MAX_BYTES + 1)
        revision = hashlib.sha256(body).hexdigest()
        self._seen = (identity, revision)
        return Document(body, revision)

    def _identity(self, status: os.stat_result) -> _Identity:
        """What differs when the file does. ctime, because ``rsync -t`` puts mtime back."""
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"{self._path} is not a regular file")
        return (
            os.path.realpath(self._path),
            status.st_dev,
            status.st_ino,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_size,
        )


def _open_without_waiting(path: str, flags: int) -> int:
    # A FIFO may take the file's place between the look and the open, and would hold the thread.
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _absolute(path: str | os.PathLike[str]) -> Path:
    # A daemon may change its directory after the client was made.
    try:
        name = os.fspath(path)
    except TypeError:
        name = None
    if not isinstance(name, str):
        raise TypeError(f"path must be a str or an os.PathLike[str], not {type(path).__name__}")
    if not name or "\0" in name:
        raise ValueError(f"path must name a file, not {name!r}")
    return Path(name).absolute()
