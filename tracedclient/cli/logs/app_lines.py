"""The application's own lines with the id, in order of time, and the calls among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tracedclient.cli.page import DIM, RED
from tracedclient.cli.quantities import counted, duration
from tracedclient.cli.reading.clock import of_day
from tracedclient.cli.reading.wanted import canonical
from tracedclient.cli.terminal import escape
from tracedclient.cli.timeline import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.logs.tree import Call
    from tracedclient.cli.page import Page
    from tracedclient.cli.reading.entries import Entry

MAX_LINES = 1000
"""Lines of the application that are shown; ``--raw`` has all."""
MAX_TEXT = 2000
"""Characters of one of them that are shown."""

_TIMES = ("timestamp", "@timestamp", "time", "ts", "asctime")
_LEVELS = ("level", "levelname", "severity", "log.level")
_LOGGERS = ("logger", "logger_name", "name")
_EVENTS = ("event", "message", "msg")
_IDS = ("trace_id", "traceId", "traceid", "trace.id", "dd.trace_id")
_SERIOUS = frozenset({"error", "critical", "fatal"})
_NO_TIME = " " * len("00:00:00.000")


class _Said(NamedTuple):
    moment: float | None
    file: str
    text: str
    codes: tuple[int, ...]


def app_lines(entries: Sequence[Entry], calls: Sequence[Call], page: Page) -> Iterator[str]:
    """Yield a heading, then the lines; nothing where the application wrote none."""
    own = [entry for entry in entries if entry.trace is None]
    if not own:
        return
    several = len({entry.file for entry in own}) > 1
    said = [*map(_said, own[:MAX_LINES]), *_marks(calls, page)]
    yield page.style.paint("lines with this id", DIM)
    for one in _in_order(said):
        yield from _drawn(one, page, named=several)
    if len(own) > MAX_LINES:
        left = counted(len(own) - MAX_LINES, "line", "lines")
        yield page.style.paint(f"{left} more; --raw has all", DIM)


def line_of(entry: Entry, page: Page, *, named: bool) -> list[str]:
    """Return one entry as it stands among the others."""
    return _drawn(_said(entry), page, named=named)


def _in_order(said: list[_Said]) -> list[_Said]:
    """Return them in order of time; one without a time stays behind the one it was found after."""
    last = 0.0
    keyed = []
    for one in said:
        last = one.moment if one.moment is not None else last
        keyed.append((last, one))
    return [one for _, one in sorted(keyed, key=lambda pair: pair[0])]


def _drawn(one: _Said, page: Page, *, named: bool) -> list[str]:
    clock = _NO_TIME if one.moment is None else of_day(one.moment)
    text = f"{one.file}: {one.text}" if named and one.file else one.text
    cut = text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."
    safe = escape(cut, unicode=page.style.unicode)
    indent = " " * min(len(clock) + 2, page.width // 4)
    return page.lines(safe, *one.codes, first=f"{clock}  ", rest=indent)


def _marks(calls: Sequence[Call], page: Page) -> Iterator[_Said]:
    for index, call in enumerate(calls):
        trace = call.trace
        number = f"[{index + 1}] " if len(calls) > 1 else ""
        status = trace.http_response_status_code or trace.outcome.replace("_", " ")
        what = f"{trace.http_request_method or ''} {trace.url_full or ''}"
        text = f"{page.symbols.arrow} {number}{what} {status} {duration(trace.duration_ms)}"
        yield _Said(moment(trace.started_at).timestamp(), "", text, (DIM,))


def _said(entry: Entry) -> _Said:
    if entry.fields is None:
        text = entry.text or f"binary data at byte {entry.offset} of {entry.file}"
        return _Said(entry.moment, entry.file, text, ())
    return _Said(entry.moment, entry.file, *_of_fields(entry.fields, entry.ids))


def _of_fields(fields: dict[str, Any], ids: tuple[str, ...]) -> tuple[str, tuple[int, ...]]:
    left = {key: value for key, value in fields.items() if key not in _TIMES}
    first = [_taken(left, names) for names in (_LEVELS, _LOGGERS, _EVENTS)]
    rest = [
        f"{key}={value}"
        for key, value in left.items()
        if key not in _IDS or canonical(str(value)) not in ids
    ]
    codes = (RED,) if first[0].lower() in _SERIOUS else ()
    return "  ".join(filter(None, [*first, *rest])), codes


def _taken(left: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if isinstance(left.get(name), str):
            return str(left.pop(name))
    return ""
