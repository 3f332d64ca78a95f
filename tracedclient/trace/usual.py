"""The line of a usual call, without its record.

Nearly every call that is traced is alike: one attempt, one exchange on a connection that was there or
was opened at the first try, an answer that is no error, and nothing slow. To make its record and encode
it costs as much as sending it. What such lines have in common is therefore encoded once, and the figures
of each are put in between.

Nothing here knows what a line looks like: each text is made from the record that ``TraceResult``'s own
way gave for the first call of its shape, and is used only if it gives that very line. So a figure that
is missing in ``figures.PLACES``, or in the shape, is a slow line and never a wrong one.
``tests/trace/test_usual.py`` holds both ways to the same bytes.
"""

from __future__ import annotations

import re
import time
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.trace.figures import EVENTS, JSON, MOMENTS, NAMES, PLACES, TEXTS, Figures
from tracedclient.trace.schema import to_dict, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.trace.figures import Filling, Like
    from tracedclient.trace.model import TraceResult

MAX_SHAPES = 256

_FORGET_EVERY_SECONDS = 60.0


class Lines:
    """Writes the lines of usual calls. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_until = float("-inf")
        self._texts: dict[Like, _Text | None] = {}

    def line(self, shape: Like, figures: Filling, record: Callable[[], TraceResult]) -> str:
        """Return the JSON of ``record()``, without making it if such a call has been seen before."""
        try:
            text = self._texts[shape]
        except KeyError:
            return self._first(shape, figures, record())
        return to_json(record()).decode() if text is None else text.filled(figures)

    @property
    def shapes(self) -> int:
        """How many it knows."""
        return len(self._texts)

    def forget(self) -> None:
        """Forget every shape."""
        self._texts.clear()

    def _first(self, shape: Like, figures: Filling, record: TraceResult) -> str:
        line = to_json(record).decode()
        if not self._has_room():
            return line
        text = _Text(record)
        self._texts[shape] = text if text.filled(figures) == line else None
        return line

    def _has_room(self) -> bool:
        if len(self._texts) < MAX_SHAPES:
            return True
        # To learn a shape takes longer than a record: where there are too many, not all the time.
        now = self._clock()
        if now < self._full_until:
            return False
        self._full_until = now + _FORGET_EVERY_SECONDS
        self.forget()
        return True


class _Text:
    """What the lines of one shape have in common, and in which order the figures come between."""

    def __init__(self, record: TraceResult) -> None:
        plain = to_dict(record)
        for path, name in {**MOMENTS, **PLACES}.items():
            _mark(plain, path, name)
        for event in plain["attempts"][0]["exchanges"][0]["events"]:
            event["at"] = _marked(EVENTS[event["event"]])
        line = msgspec.json.encode(plain).decode()
        places = _MARK.findall(line)
        texts, moments, others = _sorted(places)
        self._line = _MARK.sub(lambda mark: _slot(mark[1]), line)
        self._texts, self._figures = _getter(texts), _getter([*moments, *others])
        self._first_commas, self._commas = len(moments) - 1, len(others)
        self._in_place = itemgetter(*map([*texts, *moments, *others].index, places))
        self._latest: tuple[object, list[str]] = (None, [])

    def filled(self, figures: Filling) -> str:
        """Return the line of a call with these."""
        # All at once, as the record would have them: each by itself takes longer than all.
        written = _encode(self._figures(figures)).decode()[2:-1]
        *moments, others = written.split(",1", self._first_commas)
        pieces = self._pieces(figures[_SECOND_AT]).copy()
        found = [*self._texts(figures), *moments, *others.split(",", self._commas)]
        pieces[1::2] = self._in_place(found)
        return "".join(pieces)

    def _pieces(self, second: object) -> list[str]:
        """Return what stands before, in and after each place, in the lines of ``second``."""
        latest, pieces = self._latest
        if latest != second:
            pieces = self._line.replace(_SECOND, str(second)).split(_PLACE)
            self._latest = second, pieces
        return pieces


_AT = frozenset(MOMENTS.values()) | frozenset(EVENTS.values())
_SECOND_AT = Figures._fields.index("second")
_MARK = re.compile('"\ue000([a-z_]+)\ue001"')

# No JSON has these as they are.
_PLACE = "\0"
_SECOND = "\1"

_encode = msgspec.json.Encoder().encode


def _sorted(places: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Return which texts, moments and others have a place, each once."""
    names = dict.fromkeys(places)
    texts = [name for name in names if name in TEXTS or name in JSON]
    moments = [name for name in names if name in _AT]
    others = [name for name in names if name not in (*texts, *moments)]
    # What has commas of its own comes last.
    return texts, moments, sorted(others, key="tcp".__eq__)


def _slot(name: str) -> str:
    """Return how a figure stands in a line: between two ``_PLACE``."""
    if name in _AT:
        return f'"{_SECOND}.{_PLACE}{_PLACE}Z"'
    return f'"{_PLACE}{_PLACE}"' if name in TEXTS else f"{_PLACE}{_PLACE}"


def _getter(names: list[str]) -> itemgetter[Any]:
    return itemgetter(*map(NAMES.index, names))


def _marked(name: str) -> str:
    return f"\ue000{name}\ue001"


def _mark(plain: Any, path: tuple[str | int, ...], name: str) -> None:
    """Put a mark in the place of a figure, if it is there."""
    *above, last = path
    for step in above:
        if isinstance(step, str) and step not in plain:
            return
        plain = plain[step]
    if last in plain:
        plain[last] = _marked(name)
