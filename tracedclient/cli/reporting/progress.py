"""How far a long reading is, in one line on stderr; nothing where stderr is no terminal."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from tracedclient.cli.quantities import size

if TYPE_CHECKING:
    from typing import TextIO

_PATIENCE_S = 1.0
_EVERY_S = 0.2
_CLEAR = "\r\x1b[K"


class Progress:
    """Call it with what has been read so far. ``total`` is 0 where that is not known."""

    def __init__(
        self, total: int, stream: TextIO | None = None, *, began: float | None = None
    ) -> None:
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._began = time.monotonic() if began is None else began
        self._next = self._began + _PATIENCE_S
        self._shown = False
        self._wanted = self._stream.isatty() and os.environ.get("TERM") != "dumb"

    def close(self) -> None:
        """Take it off the screen."""
        if self._shown:
            self._stream.write(_CLEAR)
            self._stream.flush()

    def __call__(self, done: int) -> None:
        """Show it, at most five times a second, and only when it takes longer than one."""
        now = time.monotonic()
        if now < self._next or not self._wanted:
            return
        self._next = now + _EVERY_S
        self._shown = True
        self._stream.write(f"{_CLEAR}{_said(done, self._total, now - self._began)}")
        self._stream.flush()


def _said(done: int, total: int, seconds: float) -> str:
    speed = f"{size(int(done / seconds))}/s"
    if not total or not done:
        return f"read {size(done)}, {speed}"
    left = seconds * (total - done) / done
    return f"read {100 * done // total} % of {size(total)}, {speed}, {left:.0f} s left"
