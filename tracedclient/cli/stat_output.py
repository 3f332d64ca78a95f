"""What ``tracedclient stat`` writes: a waterfall, a table, or JSON; then the answer's head."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from tracedclient.cli import slo
from tracedclient.cli.body import STDOUT
from tracedclient.cli.cumulative import to_json
from tracedclient.cli.page import DIM, GREEN, RED, Page
from tracedclient.cli.series import table
from tracedclient.cli.terminal import Style, escape, width_of
from tracedclient.cli.waterfall import MIN_WIDTH, escaped, render

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    import requests

    from tracedclient.measure import Measured
    from tracedclient.trace.model import TraceResult

_SECRET = frozenset({"set-cookie", "set-cookie2", "authentication-info"})
_VERSIONS = {10: "1.0", 11: "1.1"}


class Output:
    """The output of one command."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        # The body has stdout for itself.
        self._stream: TextIO = sys.stderr if options.output == STDOUT else sys.stdout
        style = Style.detect(self._stream, options.color)
        self._page = Page(max(width_of(self._stream), MIN_WIDTH), style)
        self.traces: list[TraceResult] = []
        self.failures = 0

    def add(self, measured: Measured) -> None:
        """Take a request that has ended; show it, unless there will be a table of all."""
        trace = measured.trace
        assert trace is not None
        self.traces.append(trace)
        self.failures += measured.error is not None
        if self._options.format == "json":
            line = to_json(trace, **slo.as_json(trace, self._options.slo))
            self._write([line.decode()])
        elif self._options.number == 1:
            self._show(measured, trace)

    def interrupted(self, trace: TraceResult | None) -> None:
        """Show what there is: of several requests those that ended, else the one under way."""
        if trace is not None and (self._options.number == 1 or self._options.format == "json"):
            self._write([to_json(trace).decode()] if self._is_json() else [self._drawn(trace)])
        self.end()

    def end(self) -> None:
        """Show what can be told only when all requests have ended."""
        if self._is_json() or not self.traces:
            return
        if self._options.number > 1:
            safe = [escaped(trace, self._page.style) for trace in self.traces]
            self._write(table(safe, self._page))
        verdicts = slo.verdicts(self.traces, self._options.slo)
        self._write(
            line
            for text, kept in verdicts
            for line in self._page.lines(text, GREEN if kept else RED, rest="  ")
        )

    def complain(self, text: str) -> None:
        """Say what is wrong, on stderr."""
        sys.stderr.write(f"tracedclient: {escape(text)}\n")

    def _is_json(self) -> bool:
        return bool(self._options.format == "json")

    def _show(self, measured: Measured, trace: TraceResult) -> None:
        self._write([self._drawn(trace)])
        if measured.response is not None:
            self._write(["", *self._head(measured.response)])
        if measured.error is not None and trace.error_type is None:
            # The body could not be decoded or came too late: the wire knows nothing of it.
            self.complain(str(measured.error))

    def _drawn(self, trace: TraceResult) -> str:
        shown = self._options.format
        return render(
            trace,
            width=self._page.width,
            style=self._page.style,
            bars=shown != "box",
            boxes=shown != "waterfall",
        )

    def _head(self, response: requests.Response) -> Iterator[str]:
        version = _VERSIONS.get(response.raw.version, "?")
        yield self._escaped(f"HTTP/{version} {response.status_code} {response.reason}")
        for name, value in response.raw.headers.items():
            line = f"{name}: {_shown(name, value)}"
            yield from self._page.lines(self._escaped(line), DIM, rest="  ")

    def _escaped(self, text: str) -> str:
        return escape(text, unicode=self._page.style.unicode)

    def _write(self, lines: Iterable[str]) -> None:
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()


def _shown(name: str, value: str) -> str:
    """Return a header's value, a credential's name only: output is pasted into tickets."""
    if name.lower() not in _SECRET:
        return value
    return f"{value.partition('=')[0]}=REDACTED" if "=" in value else "REDACTED"
