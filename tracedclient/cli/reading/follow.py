"""Lines that are yet to be written: files that grow, rotate, shrink, vanish and come back."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from tracedclient.cli.reading.blocks import BLOCK, MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUNCATED = "was truncated; reading from its beginning"
REPLACED = "was replaced; reading the new file"


class Followed:
    """A file by its name, as ``tail -F`` follows it. ``notes`` says what happened to it."""

    def __init__(self, path: str, *, from_end: bool = False) -> None:
        self.path = path
        self.notes: list[str] = []
        self._file: io.FileIO | None = None
        self._at = 0
        self._begun = bytearray()
        """Of a line without its end."""
        self._open()
        if from_end and self._file is not None:
            self._at = self._file.seek(0, os.SEEK_END)

    def new_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield offset and bytes, without the newline, of every line completed since last asked."""
        yield from self._read()
        if self._was_replaced():
            # What was written before the file was renamed has been read above.
            self._open()
            self.notes.append(REPLACED)
            yield from self._read()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> None:
        self.close()
        self._at = 0
        self._begun.clear()
        try:
            self._file = io.FileIO(self.path, "rb")
        except OSError:
            self._file = None

    def _was_replaced(self) -> bool:
        try:
            there = os.stat(self.path)  # noqa: PTH116
        except OSError:
            return False
        if self._file is None:
            return True
        ours = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)

    def _read(self) -> Iterator[tuple[int, bytes]]:
        if self._file is None:
            return
        if os.fstat(self._file.fileno()).st_size < self._at:
            self._at = self._file.seek(0)
            self._begun.clear()
            self.notes.append(TRUNCATED)
        while data := self._file.read(BLOCK):
            yield from self._completed(data)

    def _completed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        self._begun += data
        self._at += len(data)
        end = self._begun.rfind(b"\n") + 1
        offset = self._at - len(self._begun)
        for line in bytes(self._begun[:end]).split(b"\n")[:-1]:
            yield offset, line
            offset += len(line) + 1
        del self._begun[:end]
        # Of a line that does not end, the beginning is of no use any more.
        del self._begun[: max(0, len(self._begun) - MAX_LINE)]
