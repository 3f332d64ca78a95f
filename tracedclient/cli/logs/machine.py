"""What was found for programs: a JSON object per line, or the lines as the application wrote them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from tracedclient.cli.reading.clock import iso
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracedclient.cli.logs.arguments import Request
    from tracedclient.cli.reading.entries import Entry
    from tracedclient.cli.reading.tally import Tally

SCHEMA = "tracedclient.logs/1"


def write(entries: Iterable[Entry], request: Request, tally: Tally) -> None:
    """Write ``entries`` as they come, and for JSON, at the end, what was read and left out."""
    for entry in entries:
        write_one(entry, request.format)
    if request.format == "json":
        sys.stdout.write(f"{_dumped(_end(tally))}\n")


def write_one(entry: Entry, form: str) -> None:
    """Write one entry as ``json`` or ``raw``, at once."""
    sys.stdout.write(f"{_raw(entry) if form == 'raw' else _json(entry)}\n")
    sys.stdout.flush()


def _raw(entry: Entry) -> str:
    # A file or a pipe gets it as it is; a terminal must not be steered by it.
    unicode = _takes(entry.text)
    if sys.stdout.isatty() or not unicode:
        return escape(entry.text, unicode=unicode)
    return entry.text


def _takes(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True


def _json(entry: Entry) -> str:
    said: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "line" if entry.trace is None else "trace",
        "file": entry.file,
        "offset": entry.offset,
    }
    if entry.moment is not None:
        said["time"] = iso(entry.moment)
    if entry.oddities:
        said["oddities"] = entry.oddities
    said |= {"text": entry.text} if entry.fields is None else {"record": entry.fields}
    return _dumped(said)


def _end(tally: Tally) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": "end",
        "files": tally.files,
        "bytes": tally.bytes,
        "lines": tally.hits,
        "traces": tally.traces,
        "oddities": dict(tally.oddities),
        "unreadable": [{"file": one.name, "why": one.why} for one in tally.unreadable],
        "unordered": tally.unordered,
    }


def _dumped(said: dict[str, Any]) -> str:
    # ASCII: a lone surrogate cannot be written otherwise, nor a control sequence reach a terminal.
    return json.dumps(said, default=lambda _: None)
