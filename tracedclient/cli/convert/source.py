"""Log files → the traces in them, and a tally of what could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.reading.files import blocks_of
from tracedclient.cli.reading.inputs import Unreadable, inputs
from tracedclient.cli.reading.records import understood
from tracedclient.cli.reading.search import lines_with
from tracedclient.cli.reading.tally import Tally
from tracedclient.cli.reading.window import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.trace.model import TraceResult

_SIGN = b"tracedclient.trace/"
"""Every line that is a trace has it, whoever wrote the JSON, and few others do."""


class Source:
    """The traces of what ``names`` stand for (``-``, files, globs, directories); iterate once."""

    def __init__(self, names: Sequence[str], span: Span | None = None) -> None:
        self.tally = Tally()
        self._names = names
        self._span = span or Span()

    def __iter__(self) -> Iterator[TraceResult]:
        for found in inputs(self._names):
            if isinstance(found, Unreadable):
                self.tally.unreadable.append(found)
                continue
            for line in lines_with(blocks_of(found, self._span, self.tally), [_SIGN]):
                entry = understood(line, found.name, ())
                self.tally.oddities.update(entry.oddities)
                if entry.trace is not None and self._span.holds(entry.moment):
                    self.tally.traces += 1
                    yield entry.trace
