"""Can a request's body be sent again? A generator that was sent once is empty the second time, and
a server takes the empty body for the whole of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class ReplayableBody:
    """A body, and the way to have it whole again before it is sent another time.

    ``factory`` makes a new one (Go's ``GetBody``); without it a file returns to where it stood, and
    an iterator is good as long as nothing has been taken from it.
    """

    def __init__(self, body: Any, factory: Callable[[], Any] | None = None) -> None:
        self._factory = factory
        self._start = None if factory else _position(body)
        is_whole = body is None or isinstance(body, (bytes, bytearray, memoryview, str))
        self._untouched: _Untouched | None = None
        is_iterator = hasattr(body, "__iter__") and not hasattr(body, "read")
        if is_iterator and not is_whole and self._start is None and factory is None:
            self._untouched = body = _Untouched(body)
        self._always = is_whole or self._start is not None or factory is not None
        self.body = body
        """What to send: ``body``, or one that notes whether it has been touched."""

    @property
    def replayable(self) -> bool:
        """Whether ``rewind`` makes the body ready to be sent again, byte for byte."""
        return self._always or (self._untouched is not None and not self._untouched.touched)

    def rewind(self) -> None:
        """Have it whole again. Raises ``OSError`` when a file does not go back."""
        if self._factory is not None:
            self.body = self._factory()
        elif self._start is not None:
            self.body.seek(self._start)


class _Untouched:
    """An iterator that knows whether anything has been taken from it."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.touched = False

    def __iter__(self) -> Iterator[Any]:
        # Before the first chunk: a generator that raises instead of giving one is empty afterwards.
        self.touched = True
        yield from self._body


def _position(body: Any) -> int | None:
    """Where a seekable file stands; ``None`` for everything else."""
    try:
        start = body.tell()
        body.seek(start)
    except (AttributeError, OSError, ValueError, TypeError):
        return None
    return start if isinstance(start, int) else None
