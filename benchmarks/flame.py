"""Folded stacks → a flame graph as SVG. Pure, and the same for the same stacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.svg import document, rect, text

if TYPE_CHECKING:
    from collections.abc import Iterable

_WIDTH, _ROW, _MARGIN, _TOP = 1000.0, 20, 10, 66
_LETTER = 6.4
"""How wide a letter is at most, on average."""
_COLOURS = (
    ("tracedclient/", "blue", "tracedclient"),
    ("requests/", "warm", "requests, tenacity, structlog, python-json-logger"),
    ("tenacity/", "warm", ""),
    ("structlog/", "warm", ""),
    ("pythonjsonlogger/", "warm", ""),
    ("urllib3/", "green", "urllib3"),
    ("", "grey", "the standard library"),
)


@dataclass
class Frame:
    """A function where it was called from: its samples, and those whom it called."""

    name: str
    samples: int = 0
    callees: dict[str, Frame] = field(default_factory=dict)


def tree(folded: Iterable[str], root: str) -> Frame:
    """Return the calls beneath the functions that have ``root`` in their name: one request.

    A folded stack is one line: frames from the outermost inwards with ";" between them, a space,
    and how often it was seen (Brendan Gregg's format). Stacks without ``root`` are left out.
    Raises ``ValueError`` when no stack has it.
    """
    top = Frame("one request")
    for line in folded:
        stack, _, count = line.rpartition(" ")
        names = stack.split(";")
        start = next((n for n, name in enumerate(names) if root in name), None)
        if start is not None:
            _add(top, names[start + 1 :], int(count))
    if not top.samples:
        raise ValueError(f"no stack has a function {root!r}; was it called at all?")
    return top


def _add(frame: Frame, names: list[str], count: int) -> None:
    frame.samples += count
    if names:
        callee = frame.callees.setdefault(names[0], Frame(names[0]))
        _add(callee, names[1:], count)


def flame_graph(root: Frame, title: str, least: float = 0.004) -> str:
    """Return the picture: callers above, callees beneath, in order of their names.

    What has less than the share ``least`` of the samples is not drawn.
    """
    shapes = [text(_MARGIN, 24, title, "title"), *_legend(44)]
    depth = _draw(root, root.samples, shapes, (_MARGIN, _WIDTH - 2 * _MARGIN, 0), least)
    return document(_WIDTH, _TOP + (depth + 1) * _ROW + _MARGIN, title, shapes)


def _draw(
    frame: Frame, whole: int, shapes: list[str], place: tuple[float, float, int], least: float
) -> int:
    """Draw a frame at ``place`` (left, width, depth) and its callees; return how deep it goes."""
    left, width, depth = place
    share = frame.samples / whole
    told = f"{frame.name}: {share:.1%}"
    y = _TOP + depth * _ROW
    shapes.append(rect(left, y, max(width - 1, 0.5), _ROW - 1, _colour(frame.name), told=told))
    label = _label(frame.name, share, width)
    if label:
        shapes.append(text(left + 4, y + 14, label, "small"))
    deepest = depth
    for name in sorted(frame.callees):
        callee = frame.callees[name]
        its_width = width * callee.samples / frame.samples
        if callee.samples >= least * whole:
            deepest = max(
                deepest, _draw(callee, whole, shapes, (left, its_width, depth + 1), least)
            )
            left += its_width
    return deepest


def _label(name: str, share: float, width: float) -> str:
    """As much of a frame's name as fits; "" when that would say nothing."""
    function = name.partition(" (")[0].replace(".<locals>", "")
    short = function.rpartition(".")[2]
    room = int((width - 8) / _LETTER)
    whole = (f"{function} {share:.0%}", function, f"{short} {share:.0%}", short)
    cut = f"{short[: room - 1]}…" if room >= 5 else ""
    return next((label for label in whole if len(label) <= room), cut)


def _colour(name: str) -> str:
    return next(colour for part, colour, _ in _COLOURS if part in name)


def _legend(y: float) -> list[str]:
    shapes, x = [], float(_MARGIN)
    for _, colour, said in _COLOURS:
        if said:
            shapes.append(rect(x, y - 9, 12, 12, colour))
            shapes.append(text(x + 18, y + 1, said, "small"))
            x += 36 + _LETTER * len(said)
    return shapes
