"""The flag of any OpenFeature provider (extra ``openfeature``), through the application's own client.

What OpenFeature runs in threads (its events, most providers) ends with a fork, and nothing says so:
a provider that came through a fork is taken for frozen until a change shows that it is not.
"""

from __future__ import annotations

import os
import time
import weakref
from typing import TYPE_CHECKING

from tracedclient.debug.source import Absent, Document, Fetched, NotModified, SourceError
from tracedclient.debug.sources.bell import BellSource

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from types import ModuleType

    from openfeature.client import OpenFeatureClient
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.provider import FeatureProvider

    from tracedclient.debug.sources.openfeature_flag import Flag

_SHORTEST = 0.01
_LONGEST = 30.0
_START = 3.0
"""Seconds that a provider may take to start before that is told as a problem."""
_START_LOOK = 0.05
_FROZEN = (
    "the OpenFeature provider was set before this process was forked, and may be frozen: set it in "
    "each worker, or pass a function that does so and returns the client"
)


class OpenFeatureSource(BellSource):
    """A flag whose value is a flag document (an object), or a boolean. No such flag: off.

    client   an ``OpenFeatureClient``; or, for servers that fork, a function without arguments that
             sets the provider and returns the client. It is called by the first fetch of each
             process. This class itself never sets a provider.
    key      of the flag
    context  of every evaluation, beneath what the client and the API have
    every    seconds between two evaluations when no event of the provider comes

    Raises ``ImportError`` without openfeature-sdk, ``TypeError`` and ``ValueError`` for arguments
    that cannot work.
    """

    def __init__(
        self,
        client: OpenFeatureClient | Callable[[], OpenFeatureClient],
        key: str = "tracedclient",
        *,
        context: EvaluationContext | None = None,
        every: float = 1.0,
    ) -> None:
        room = _openfeature()
        _check(key, every)
        room.check_context(context)
        if not callable(client):
            room.check_client(client)
        super().__init__()
        self.name = f"openfeature:{key}"
        self._client = client
        self._key = key
        self._context = context
        self._every = every
        self._flag: Flag | None = None
        self._finalizer: weakref.finalize[..., OpenFeatureSource] | None = None
        self._found: Document | Absent | None = None
        self._pid = os.getpid()
        self._provider = None if callable(client) else client.provider
        self._inherited: FeatureProvider | None = None

    def _look(self, previous: str | None, cancel: threading.Event) -> Fetched:
        flag = self._flag or self._subscribe(cancel)
        self._follow_fork(flag)
        before, self._found = self._found, flag.evaluate()
        if before not in (None, self._found):
            self._inherited = None
        trouble = flag.trouble() or self._frozen(flag)
        if trouble is not None and _is_old(self._found, before, previous):
            raise SourceError(trouble)
        same = isinstance(self._found, Document) and self._found.revision == previous
        return NotModified() if same else self._found

    def _subscribe(self, cancel: threading.Event) -> Flag:
        room = _openfeature()
        client = self._client() if callable(self._client) else self._client
        flag: Flag = room.Flag(client, self._key, self._context)
        # The SDK keeps what it calls for ever: the bell, and not this source.
        flag.subscribe(self._bell.ring)
        self._finalizer = weakref.finalize(self, flag.unsubscribe, self._bell.ring)
        self._finalizer.atexit = False
        self._flag = flag
        self._await_start(flag, cancel)
        return flag

    def _await_start(self, flag: Flag, cancel: threading.Event) -> None:
        # set_provider() does not wait for the provider: that it has yet to start is no problem.
        until = time.monotonic() + _START
        while flag.is_starting() and not cancel.is_set() and time.monotonic() < until:
            self._bell.silence()
            self._bell.wait(time.monotonic() + _START_LOOK, cancel)

    def _follow_fork(self, flag: Flag) -> None:
        # Not by after_fork() alone: nobody calls that when the parent never asked for the flag.
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._inherited = self._provider
        elif not callable(self._client):
            self._provider = flag.provider

    def _frozen(self, flag: Flag) -> str | None:
        return _FROZEN if self._inherited is flag.provider else None

    def after_fork(self) -> None:
        """Forget what the parent evaluated; a function is asked for a client of this process."""
        super().after_fork()
        self._found = None
        if callable(self._client) and self._finalizer is not None:
            self._finalizer.detach()
            self._flag = self._finalizer = None

    def close(self) -> None:
        """Unsubscribe from the events. The client and its provider are the application's."""
        if self._finalizer is not None:
            self._finalizer()


def _is_old(
    found: Document | Absent, before: Document | Absent | None, previous: str | None
) -> bool:
    """Whether that is no news. A missing flag is none, when its provider is in trouble."""
    return isinstance(found, Absent) or found == before or found.revision == previous


def _openfeature() -> ModuleType:
    try:
        from tracedclient.debug.sources import openfeature_flag  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "openfeature":
            raise
        raise ImportError(
            "OpenFeatureSource needs openfeature-sdk: pip install 'tracedclient[openfeature]'"
        ) from error
    return openfeature_flag


def _check(key: str, every: float) -> None:
    if not isinstance(key, str):
        raise TypeError(f"key must be a str, not {type(key).__name__}")
    if not key:
        raise ValueError("key must be the key of a flag, not empty")
    if isinstance(every, bool) or not isinstance(every, (int, float)):
        raise TypeError(f"every must be a number of seconds, not {type(every).__name__}")
    if not _SHORTEST <= every <= _LONGEST:
        raise ValueError(f"every must be {_SHORTEST} to {_LONGEST:.0f} s: {every}")
