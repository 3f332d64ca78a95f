"""What the terminal at the other end of a stream can show: colour, Unicode, how many columns."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

COLOR_CHOICES = ("auto", "always", "never")
DEFAULT_WIDTH = 80

_BEYOND_ASCII = "█▒·│→✗…"
_RESET = "\x1b[0m"


class Style(NamedTuple):
    """How to draw: with ANSI colours or not, with characters beyond ASCII or not."""

    colour: bool
    unicode: bool

    @classmethod
    def detect(
        cls, stream: TextIO, color: str = "auto", environ: Mapping[str, str] = os.environ
    ) -> Style:
        """Return the style that suits ``stream``.

        ``color`` is one of ``COLOR_CHOICES`` and wins over the environment; after it come
        ``NO_COLOR`` (https://no-color.org), ``FORCE_COLOR``, ``TERM=dumb``, and whether the stream
        is a terminal. That is CPython's own order.

        Raises ``ValueError`` for another ``color``.
        """
        if color not in COLOR_CHOICES:
            raise ValueError(f"color must be one of {', '.join(COLOR_CHOICES)}, not {color!r}")
        coloured = _wants_colour(stream, environ) if color == "auto" else color == "always"
        return cls(colour=coloured, unicode=_takes_unicode(stream))

    def paint(self, text: str, *codes: int) -> str:
        """Return ``text`` in the given SGR codes (ECMA-48 §8.3.117), or as it is."""
        if not (self.colour and codes and text):
            return text
        return f"\x1b[{';'.join(map(str, codes))}m{text}{_RESET}"


def width_of(stream: TextIO) -> int:
    """Return the columns of the terminal behind ``stream``; 80 where there is none."""
    try:
        # A terminal that was never told its size says 0.
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    except (OSError, ValueError):
        return DEFAULT_WIDTH


def escape(text: str, *, unicode: bool = True) -> str:
    r"""Return ``text`` with everything that could steer a terminal shown as ``\x1b``, ``\u202e``.

    What a server, a header or a log file said must not move the cursor, change colours, reverse
    the reading direction or add lines. With ``unicode=False`` whatever is not ASCII goes the same
    way, so that the text can be written to any stream.
    """
    return "".join(
        char if char.isprintable() and (unicode or char.isascii()) else _escaped(char)
        for char in text
    )


def add_color_argument(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the option ``--color``, whose value ``Style.detect`` takes."""
    parser.add_argument(
        "--color",
        choices=COLOR_CHOICES,
        default="auto",
        help="colour the output (default: auto, only on a terminal; NO_COLOR is honoured)",
    )


def _wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return environ.get("TERM") != "dumb" and stream.isatty()


def _takes_unicode(stream: TextIO) -> bool:
    try:
        _BEYOND_ASCII.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
