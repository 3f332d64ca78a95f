"""Can a request's body be sent again? A generator that was sent once is empty the second time, and
a server takes the empty body for the whole of it.
"""

from __future__ import annotations

from typing import Any


class ReplayableBody:
    """A body, and the position to which to return before it is sent again."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._start = _position(body)

    @property
    def replayable(self) -> bool:
        """Whether ``rewind`` makes the body ready to be sent again, byte for byte."""
        return self._body is None or isinstance(self._body, (bytes, str)) or self._start is not None

    def rewind(self) -> None:
        """Return a file to where it stood. Raises ``OSError`` when it does not go there."""
        if self._start is not None:
            self._body.seek(self._start)


def _position(body: Any) -> int | None:
    """Where a seekable file stands; ``None`` for everything else."""
    try:
        start = body.tell()
        body.seek(start)
    except (AttributeError, OSError, ValueError, TypeError):
        return None
    return start if isinstance(start, int) else None
