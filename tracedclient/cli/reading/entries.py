"""A line that was found, before anything in it is parsed: where it is, its text, when it was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tracedclient.cli.reading.clock import time_of
from tracedclient.cli.reading.tally import BINARY, NOT_UTF8

if TYPE_CHECKING:
    from tracedclient.cli.reading.wrapping import Line
    from tracedclient.trace.model import TraceResult


class Entry(NamedTuple):
    """A line that has the id."""

    file: str
    offset: int
    text: str
    """As the application wrote it; bytes that are not UTF-8 as ``\\x..``."""
    moment: float | None
    """When it was written, in seconds since the epoch, where it says so."""
    ids: tuple[str, ...]
    """The ids in it that were asked for."""
    fields: dict[str, Any] | None = None
    """Of a JSON object."""
    trace: TraceResult | None = None
    oddities: tuple[str, ...] = ()
    """What is not as it should be, of those in ``tally``."""

    @property
    def is_binary(self) -> bool:
        """Whether it is no text at all."""
        return BINARY in self.oddities


def as_text(line: Line, file: str, ids: tuple[str, ...]) -> Entry:
    """Return ``line`` without asking what it says."""
    lack = (line.lack,) if line.lack else ()
    # What truncating a file that is written to leaves behind.
    data = line.data.lstrip(b"\0")
    moment = time_of(data) or time_of(line.written)
    if b"\0" in data:
        return Entry(file, line.offset, "", moment, ids, oddities=(*lack, BINARY))
    try:
        return Entry(file, line.offset, data.decode(), moment, ids, oddities=lack)
    except UnicodeDecodeError:
        text = data.decode("utf-8", "backslashreplace")
        return Entry(file, line.offset, text, moment, ids, oddities=(*lack, NOT_UTF8))
