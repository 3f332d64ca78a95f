"""Shapes → SVG text, with colours that suit light and dark mode. Pure.

The picture has a ground of its own: an image follows the system's mode, not that of the page which
it stands on. Colours are classes and not variables, which some programs that draw SVG do not know.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

_PALETTE = {
    "ground": ("#ffffff", "#151b23"),
    "ink": ("#1f2328", "#e6edf3"),
    "faint": ("#59636e", "#9198a1"),
    "line": ("#d1d9e0", "#3d444d"),
    "own": ("#0969da", "#58a6ff"),
    "session": ("#8250df", "#bc8cff"),
    "peer": ("#9aa4af", "#6e7681"),
    "bar": ("#cf222e", "#ff7b72"),
    # Rooms of a flame graph; ink must be legible on them.
    "warm": ("#ffd8a8", "#6b4514"),
    "green": ("#b7ebc0", "#1f5a2e"),
    "blue": ("#b6d7ff", "#1c4a80"),
    "grey": ("#dfe3e8", "#3a424c"),
}
_TEXT = """\
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
.title { font-size: 15px; font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.small { font-size: 11px; }
"""


def document(width: float, height: float, title: str, shapes: list[str]) -> str:
    """Return the whole picture on its ground."""
    style = f"{_TEXT}{_colours(0)}@media (prefers-color-scheme: dark) {{\n{_colours(1)}}}\n"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label={quoteattr(title)}>\n'
        f"<style>\n{style}</style>\n"
        f'<rect width="100%" height="100%" rx="8" class="ground"/>\n'
        f"{chr(10).join(shapes)}\n</svg>\n"
    )


def _colours(mode: int) -> str:
    return "".join(
        f".{name} {{ fill: {pair[mode]}; }} .{name}-line {{ stroke: {pair[mode]}; }}\n"
        for name, pair in _PALETTE.items()
    )


def text(x: float, y: float, said: str, kind: str = "") -> str:
    """Return a line of text; ``kind`` is one or more classes: title, end, middle, small, faint."""
    colour = "" if "faint" in kind else "ink "
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{colour}{kind}">{escape(said)}</text>'


def rect(x: float, y: float, width: float, height: float, colour: str, *, told: str = "") -> str:
    """Return a rectangle that tells ``told`` when it is pointed at."""
    where = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {where} rx="2" class="{colour}">{_told(told)}</rect>'


def line(x1: float, y1: float, x2: float, y2: float, colour: str, *, more: str = "") -> str:
    """Return a line; ``more`` are further attributes."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} class="{colour}-line" {more}/>'


def mark(shape: str, x: float, y: float, colour: str, *, told: str = "") -> str:
    """Return a small mark: circle, ring, diamond, square, triangle, cross or plus."""
    where = f'transform="translate({x:.1f} {y:.1f})" d="{_PATHS[shape]}"'
    paint = f'class="{colour}"'
    if shape == "ring":
        paint = f'class="ground {colour}-line" stroke-width="2.5"'
    elif shape in {"cross", "plus"}:
        paint = f'class="{colour}-line" stroke-width="2.5"'
    return f"<path {where} {paint}>{_told(told)}</path>"


def _told(said: str) -> str:
    return f"<title>{escape(said)}</title>" if said else ""


_CIRCLE = "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"
_PATHS = {
    "circle": _CIRCLE,
    "ring": _CIRCLE,
    "diamond": "M0-6L6 0L0 6L-6 0z",
    "square": "M-4.5-4.5H4.5V4.5H-4.5z",
    "triangle": "M0-5.5L5.5 4.5H-5.5z",
    "plus": "M0-5V5M-5 0H5",
    "cross": "M-4-4L4 4M4-4L-4 4",
}
