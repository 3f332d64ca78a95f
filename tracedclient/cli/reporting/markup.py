"""HTML and SVG by construction: whatever is not ``Markup`` already is text, and is escaped."""

from __future__ import annotations

from html import escape as _escape_html
from typing import TypeAlias

from tracedclient.cli.terminal import escape as _escape_controls

_VOID = frozenset({"meta", "input", "br"})


class Markup(str):
    """Text that a browser may read as HTML."""

    __slots__ = ()


Child: TypeAlias = str
"""``Markup``, or any other text: that is escaped."""


def text(said: str) -> Markup:
    """Return ``said`` as what it says: no tag, no entity, no character that turns the direction."""
    return Markup(_escape_html(_escape_controls(said)))


def join(*children: Child) -> Markup:
    """Return ``children`` one after the other."""
    return Markup("".join(one if isinstance(one, Markup) else text(one) for one in children))


def element(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """Return an element. ``class_`` is ``class``, and ``data_host`` is ``data-host``.

    An attribute of ``True`` stands without a value, one of ``None`` or ``False`` not at all.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def _attribute(key: str, value: str | float | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    said = value if isinstance(value, str) else f"{value:.6g}"
    return f' {name}="{text(said)}"'
