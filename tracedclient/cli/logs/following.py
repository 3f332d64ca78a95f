"""``--follow``: what the files have, and then what is written to them, as it is written."""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import TYPE_CHECKING

from tracedclient.cli.logs import machine
from tracedclient.cli.logs.app_lines import line_of
from tracedclient.cli.page import Page
from tracedclient.cli.reading.follow import Followed
from tracedclient.cli.reading.inputs import Unreadable, inputs
from tracedclient.cli.reading.records import understood
from tracedclient.cli.reading.wrapping import Joiner
from tracedclient.cli.terminal import Style, escape, width_of
from tracedclient.cli.waterfall import MIN_WIDTH, render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.logs.arguments import Request
    from tracedclient.cli.reading.entries import Entry

POLL_S = 0.2
"""Between two looks at the files."""

_UNREADABLE = 2


def follow(request: Request) -> int:
    """Print what has the id until Ctrl-C, or with ``--first`` until a trace was found.

    Returns 2 at once when a file cannot be read; a file that is not there yet is waited for when
    its name is no pattern.
    """
    files = _files(request)
    if not files:
        return _UNREADABLE
    try:
        while True:
            for file in files:
                if file.look():
                    return 0
            time.sleep(POLL_S)
    finally:
        for file in files:
            file.close()


def _files(request: Request) -> list[_Following]:
    found = list(inputs(request.names))
    refused = [one for one in found if isinstance(one, Unreadable) and not _may_come(one)]
    for one in refused:
        print(f"cannot read {escape(one.name)}: {one.why}", file=sys.stderr)
    names = [one.name for one in found if one not in refused]
    return [_Following(name, request, named=len(names) > 1) for name in names]


def _may_come(missing: Unreadable) -> bool:
    return missing.why == os.strerror(errno.ENOENT)


class _Following:
    def __init__(self, path: str, request: Request, *, named: bool) -> None:
        self._file = Followed(path)
        self._request = request
        self._named = named
        self._joiner = Joiner()

    def close(self) -> None:
        self._file.close()

    def look(self) -> bool:
        """Print what is new; say whether nothing more is wanted."""
        for entry in self._new():
            self._show(entry)
            if self._request.first and entry.trace is not None:
                return True
        self._tell()
        return False

    def _new(self) -> Iterator[Entry]:
        for offset, stored in self._file.new_lines():
            line = self._joiner.add(offset, stored)
            ids = self._request.wanted.spelled_in(line.data) if line else []
            if line is None or not ids:
                continue
            entry = understood(line, self._file.path, tuple(ids))
            if entry.trace is not None or not self._request.only_traces:
                yield entry

    def _show(self, entry: Entry) -> None:
        if self._request.format in ("json", "raw"):
            machine.write_one(entry, self._request.format)
            return
        style = Style.detect(sys.stdout, self._request.color)
        page = Page(max(width_of(sys.stdout), MIN_WIDTH), style)
        if entry.trace is not None:
            print(f"\n{render(entry.trace, width=page.width, style=style)}\n", flush=True)
        else:
            print("\n".join(line_of(entry, page, named=self._named)), flush=True)

    def _tell(self) -> None:
        while self._file.notes:
            note = self._file.notes.pop(0)
            print(f"{escape(self._file.path)} {note}", file=sys.stderr, flush=True)
