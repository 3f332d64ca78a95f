"""Shapes → SVG text, with colours that suit light and dark mode. Pure.

The picture has a ground of its own: on GitHub an image knows the system's colours, not the page's.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_STYLE = """\
:root { --ground: #ffffff; --ink: #1f2328; --faint: #59636e; --line: #d1d9e0;
  --own: #0969da; --own-2: #8250df; --peer: #9aa4af; --bar: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ground: #151b23; --ink: #e6edf3; --faint: #9198a1;
  --line: #3d444d; --own: #58a6ff; --own-2: #bc8cff; --peer: #6e7681; --bar: #ff7b72; } }
text { font: 13px FONT; fill: var(--ink); }
.faint { fill: var(--faint); font-size: 12px; }
.title { font-size: 15px; font-weight: 600; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.small { font-size: 11px; }
"""


def document(width: float, height: float, title: str, shapes: list[str]) -> str:
    """Return the whole picture on its ground."""
    style = _STYLE.replace("FONT", _FONT)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label={quoteattr(title)}>\n'
        f"<style>\n{style}</style>\n"
        f'<rect width="100%" height="100%" rx="8" fill="var(--ground)"/>\n'
        f"{chr(10).join(shapes)}\n</svg>\n"
    )


def text(x: float, y: float, said: str, kind: str = "") -> str:
    """Return a line of text; ``kind`` is one or more of the classes in the style."""
    chosen = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{chosen}>{escape(said)}</text>'


def rect(x: float, y: float, width: float, height: float, fill: str, *, told: str = "") -> str:
    """Return a rectangle that tells ``told`` when it is pointed at."""
    where = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {where} rx="2" fill="{fill}">{_told(told)}</rect>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, *, more: str = "") -> str:
    """Return a line; ``more`` are further attributes."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="{stroke}" {more}/>'


def mark(shape: str, x: float, y: float, fill: str, *, told: str = "") -> str:
    """Return a small mark: circle, ring, diamond, square, triangle, cross or plus."""
    where = f'transform="translate({x:.1f} {y:.1f})"'
    paint = {
        "ring": f'fill="var(--ground)" stroke="{fill}" stroke-width="2.5"',
        "cross": f'fill="none" stroke="{fill}" stroke-width="2.5"',
        "plus": f'fill="none" stroke="{fill}" stroke-width="2.5"',
    }.get(shape, f'fill="{fill}"')
    return f'<path {where} d="{_PATHS[shape]}" {paint}>{_told(told)}</path>'


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
