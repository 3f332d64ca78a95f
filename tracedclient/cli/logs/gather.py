"""Names of files → the entries that have the id."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tracedclient.cli.logs.progress import Progress
from tracedclient.cli.reading.entries import as_text
from tracedclient.cli.reading.files import blocks_of
from tracedclient.cli.reading.inputs import Input, inputs
from tracedclient.cli.reading.search import lines_with
from tracedclient.cli.reading.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.logs.arguments import Request
    from tracedclient.cli.reading.blocks import Block
    from tracedclient.cli.reading.census import Census
    from tracedclient.cli.reading.entries import Entry
    from tracedclient.cli.reading.wrapping import Line

MAX_ENTRIES = 10_000
"""Entries that are held to be drawn; the others are counted."""
MAX_HELD = 16_000_000
"""Characters of them that are held."""


class Gathering:
    """One search: its entries, and what is known about it afterwards."""

    def __init__(self, request: Request) -> None:
        self.tally = Tally()
        self.ids: list[str] = []
        """Ids, canonical, that what was found belongs to."""
        self.others = 0
        """Longer ids that were left out because one is exactly what was asked for."""
        self.unshown = 0
        """Entries beyond ``MAX_ENTRIES`` and ``MAX_HELD``."""
        self.census: Census | None = None
        """What there was, when nothing was found."""
        self._request = request
        self._inputs: list[Input] = []

    def entries(self) -> Iterator[Entry]:
        """Yield what is found, as it is found."""
        wanted = self._request.wanted
        yield from self._pass(wanted.needles)
        if not self.tally.hits and wanted.others:
            yield from self._again(wanted.others)
        if not self.tally.hits:
            self._take_census()

    def settled(self) -> list[Entry]:
        """Return what is found, of the one id that is asked for; of all ids if it is not clear."""
        held: list[Entry] = []
        room = MAX_HELD
        for entry in self.entries():
            room -= len(entry.text)
            if room >= 0 and len(held) < MAX_ENTRIES:
                held.append(entry)
            else:
                self.unshown += 1
        self.ids = list(dict.fromkeys(found for entry in held for found in entry.ids))
        exact = self._request.wanted.id
        if exact not in self.ids:
            return held
        self.others = len(self.ids) - 1
        self.ids = [exact]
        return self._only(exact, held)

    def _only(self, exact: str, held: list[Entry]) -> list[Entry]:
        """Return those of ``held`` with the id ``exact``, and count the others no longer."""
        kept = []
        for entry in held:
            if exact in entry.ids:
                kept.append(entry)
            else:
                self.tally.hits -= 1
                self.tally.traces -= entry.trace is not None
                self.tally.oddities -= Counter(entry.oddities)
        if not self.unshown:
            self.tally.files_with_hits = len({entry.file for entry in kept})
        return kept

    def _pass(self, needles: tuple[bytes, ...]) -> Iterator[Entry]:
        progress = Progress(self.tally)
        try:
            for found in inputs(self._request.names):
                if isinstance(found, Input):
                    self._inputs.append(found)
                    yield from self._found_in(found, needles, progress)
                else:
                    self.tally.unreadable.append(found)
                if self._request.first and self.tally.traces:
                    return
        finally:
            progress.end()

    def _again(self, needles: tuple[bytes, ...]) -> Iterator[Entry]:
        for found, blocks in self._once_more():
            yield from self._entries(found, blocks, needles)

    def _once_more(self) -> Iterator[tuple[Input, Iterator[Block]]]:
        """Yield the files that can be read again, with what is in them."""
        silent = Tally()
        progress = Progress(silent)
        for found in self._inputs:
            if found.seekable:
                blocks = blocks_of(found, self._request.span, silent)
                yield found, progress.watch(blocks, found)
        progress.end()

    def _found_in(
        self, found: Input, needles: tuple[bytes, ...], progress: Progress
    ) -> Iterator[Entry]:
        blocks = progress.watch(blocks_of(found, self._request.span, self.tally), found)
        if not found.seekable:
            # It cannot be read again to say what was in it, or for another spelling.
            blocks = self._counted().watch(blocks)
            needles = (*needles, *self._request.wanted.others)
        yield from self._entries(found, blocks, needles)

    def _entries(
        self, found: Input, blocks: Iterable[Block], needles: tuple[bytes, ...]
    ) -> Iterator[Entry]:
        before = self.tally.hits
        for line in lines_with(blocks, needles):
            ids = self._request.wanted.spelled_in(line.data)
            if not ids:
                continue
            entry = self._understood(line, found, tuple(ids))
            if self._belongs(entry):
                self._note(entry)
                yield entry
                if self._request.first and entry.trace:
                    break
        self.tally.files_with_hits += self.tally.hits > before

    def _understood(self, line: Line, found: Input, ids: tuple[str, ...]) -> Entry:
        request = self._request
        if request.format == "raw" and not (request.only_traces or request.first or request.strict):
            return as_text(line, found.name, ids)
        # Only now: it brings the library of the nouns.
        from tracedclient.cli.reading.records import understood  # noqa: PLC0415

        return understood(line, found.name, ids)

    def _belongs(self, entry: Entry) -> bool:
        if self._request.only_traces and entry.trace is None:
            return False
        return self._request.span.holds(entry.moment)

    def _note(self, entry: Entry) -> None:
        self.tally.hits += 1
        self.tally.traces += entry.trace is not None
        self.tally.oddities.update(entry.oddities)

    def _counted(self) -> Census:
        from tracedclient.cli.reading.census import Census  # noqa: PLC0415 - see above

        self.census = self.census or Census(self._request.wanted.id)
        return self.census

    def _take_census(self) -> None:
        census = self._counted()
        for _, blocks in self._once_more():
            for block in blocks:
                census.add(block)
