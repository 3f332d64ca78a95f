"""The handler that ``logging_config(filename=…)`` names: one ``write`` for each line of a trace."""

from __future__ import annotations

from contextlib import suppress
from io import BufferedWriter, FileIO, TextIOWrapper
from logging import Handler, LogRecord, StreamHandler
from logging.handlers import WatchedFileHandler
from time import monotonic
from typing import Any

from tracedclient.sinks.line import LineRecord, shipped

LOOK_EVERY = 0.001
"""Seconds. To look whether the file is still the one of its name costs two thirds of the write.

Where a log is compressed and removed as soon as it was renamed, lines written in between are gone.
To start a program for that takes longer than this; five milliseconds cost lines of short files.
"""

_NO_STREAM = object()

_handle = shipped(Handler, "handle")
_emit = shipped(StreamHandler, "emit")


class LineFileHandler(WatchedFileHandler):
    """``WatchedFileHandler``, which is quicker about traces.

    The line of a trace is handed to the kernel in one piece, so that processes may share the file,
    and the file is looked for under its name at most every ``look_every`` seconds (0: before each
    line): one written so soon after it was renamed or removed goes there still. Every other record
    is handled as ``WatchedFileHandler`` does, whose arguments the others are.

    Raises ``TypeError`` or ``ValueError`` for a ``look_every`` that is no number or below 0.
    """

    # Where this class says `super()`, that does the same for a line, in more steps.

    def __init__(self, *args: Any, look_every: float = LOOK_EVERY, **kwargs: Any) -> None:
        if not isinstance(look_every, (int, float)):
            raise TypeError(f"look_every must be a number of seconds, not {look_every!r}")
        if not look_every >= 0:
            raise ValueError(f"look_every must be a number of seconds, 0 or more: {look_every!r}")
        super().__init__(*args, **kwargs)
        self._look_every = look_every
        self._looked_at = float("-inf")
        self._trusted: Any = _NO_STREAM
        self._raw: Any = None

    def handle(self, record: LogRecord) -> Any:
        """Emit ``record``, unless a filter drops it."""
        if (
            type(record) is not LineRecord
            or Handler.handle is not _handle
            or "filter" in self.__dict__
        ):
            return super().handle(record)
        # There is no such record where a filter looks at more than its own.
        self.acquire()
        try:
            self.emit(record)
        finally:
            self.release()
        return True

    def emit(self, record: LogRecord) -> None:
        """Write ``record``, to another file than before if that is what the name now means."""
        if (
            type(record) is LineRecord
            and self.stream is self._trusted
            and StreamHandler.emit is _emit
            # Who puts one there may mean to take something out of each line.
            and "format" not in self.__dict__
            and "format" not in self.formatter.__dict__
            and self._has_its_file()
        ):
            try:
                self._write((record.line + self.terminator).encode())
            except RecursionError:
                raise
            except Exception:  # noqa: BLE001 - as StreamHandler does
                self.handleError(record)
        else:
            self._emit_as_ever(record)

    def _has_its_file(self) -> bool:
        """Whether the stream is still that of the file with this name, as far as was looked."""
        now = monotonic()
        if not self._looked_at <= now < self._looked_at + self._look_every:
            self.reopenIfNeeded()
            self._looked_at = now
        return self.stream is self._trusted

    def _emit_as_ever(self, record: LogRecord) -> None:
        before, self._trusted = self.stream, _NO_STREAM
        super().emit(record)
        # One just opened is looked for once more: with `delay`, logging does not know which it is.
        if self.stream is before:
            self._trust(before)

    def _trust(self, stream: Any) -> None:
        """Have lines go straight to the file of ``stream``, if they can."""
        # One that somebody else opened may write them in another way.
        raw = _plain_file(stream)
        if raw is None or raw.name != self.baseFilename or stream.encoding != "utf-8":
            return
        # Fails while lines wait for room on the disk; they have to be written first.
        with suppress(OSError, ValueError):
            stream.flush()
            # An object, and not a number: that may mean another file once this one is closed.
            self._raw = raw
            self._trusted = stream

    def _write(self, data: bytes) -> None:
        try:
            written = self._raw.write(data) or 0
        except OSError:
            written = 0
        if written != len(data):
            # The stream keeps what the disk has no room for, tries again, and says what is wrong.
            stream, self._trusted = self._trusted, _NO_STREAM
            stream.buffer.write(data[written:])
            stream.flush()


def _plain_file(stream: Any) -> Any:
    """Return the file beneath ``stream`` if that is what ``open`` returns for text, and does no more."""
    if type(stream) is not TextIOWrapper or type(stream.buffer) is not BufferedWriter:
        return None
    raw = stream.buffer.raw
    return raw if type(raw) is FileIO else None
