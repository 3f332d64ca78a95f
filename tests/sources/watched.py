"""``Watched``: another source, and whether it is being asked at the moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracedclient.debug import FlagSource

if TYPE_CHECKING:
    import threading

    from tracedclient.debug.source import Fetched


class Watched(FlagSource):
    """Hands everything on to ``inner``."""

    def __init__(self, inner: FlagSource) -> None:
        self._inner = inner
        self.name = inner.name
        self.immediate = inner.immediate
        self.constant = inner.constant
        self.hold = inner.hold
        self.recheck = inner.recheck
        self.fetches = 0
        self._asked_at: float | None = None

    def is_held(self, seconds: float = 0.1) -> bool:
        """Whether a fetch has been going on for so long: the server holds it."""
        asked_at = self._asked_at
        return asked_at is not None and time.monotonic() - asked_at > seconds

    def fetch(self, previous: str | None, *, wait: float, cancel: threading.Event) -> Fetched:
        self._asked_at = time.monotonic()
        try:
            return self._inner.fetch(previous, wait=wait, cancel=cancel)
        finally:
            self._asked_at = None
            self.fetches += 1

    def after_fork(self) -> None:
        self._asked_at = None
        self._inner.after_fork()

    def close(self) -> None:
        self._inner.close()
