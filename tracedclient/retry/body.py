"""Can a request's body be sent again? A generator that was sent once is empty the second time, and
a server takes the empty body for the whole of it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from requests.exceptions import UnrewindableBodyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class ReplayableBody:
    """A body, and the way to have it whole again before it is sent another time.

    ``factory`` makes a new one (Go's ``GetBody``); without it a file returns to where it stood, and
    an iterator is good as long as nothing has been taken from it.
    """

    def __init__(self, body: Any, factory: Callable[[], Any] | None = None) -> None:
        self._factory = factory
        is_whole = body is None or isinstance(body, (bytes, bytearray, memoryview, str))
        self._extent = None if is_whole or factory else _extent(body)
        self._untouched: _Untouched | None = None
        if not is_whole and self._extent is None and factory is None and _is_iterator(body):
            self._untouched = body = _Untouched(body)
        self._always = is_whole or self._extent is not None or factory is not None
        self.body = body
        """What to send: ``body``, or one that notes whether it has been touched."""

    @property
    def replayable(self) -> bool:
        """Whether ``rewind`` makes the body ready to be sent again, byte for byte."""
        return self._always or (self._untouched is not None and not self._untouched.touched)

    def rewind(self) -> None:
        """Have it whole again.

        Raises requests' ``UnrewindableBodyError`` when a file does not go back, or ends elsewhere
        than it did: its ``Content-Length`` would promise bytes that do not come, or end the
        request in the middle of them.
        """
        if self._factory is not None:
            self.body = self._factory()
        elif self._extent is not None:
            self._go_back(*self._extent)

    def _go_back(self, start: int, usual_end: int | None) -> None:
        try:
            self.body.seek(start)
            end = _end(self.body, start)
        except (OSError, ValueError) as error:
            raise UnrewindableBodyError(
                f"the body's file does not go back to where it stood: {error}"
            ) from error
        if end != usual_end:
            raise UnrewindableBodyError(
                f"the body's file ended at {usual_end} and ends at {end} now: it cannot be sent "
                "again as it was; give a body that nobody writes to meanwhile, or body_factory="
            )


class _Untouched:
    """An iterator that knows whether anything has been taken from it."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self.touched = False

    def __iter__(self) -> Iterator[Any]:
        # Before the first chunk: a generator that raises instead of giving one is empty afterwards.
        self.touched = True
        yield from self._body


def _is_iterator(body: Any) -> bool:
    return hasattr(body, "__iter__") and not hasattr(body, "read")


def _extent(body: Any) -> tuple[int, int | None] | None:
    """Where a seekable file stands and where it ends; ``None`` for everything else."""
    try:
        start = body.tell()
        body.seek(start)
        end = _end(body, start)
    except (AttributeError, OSError, ValueError, TypeError):
        return None
    return (start, end) if isinstance(start, int) else None


def _end(file: Any, start: int) -> int | None:
    """Where a file ends, leaving it at ``start``; ``None`` for one that only seeks from its beginning."""
    try:
        file.seek(0, os.SEEK_END)
        end = file.tell()
    except TypeError:
        return None
    finally:
        file.seek(start)
    return end if isinstance(end, int) else None
