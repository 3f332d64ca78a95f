"""What every source of the debug flag offers: ``FlagSource``, and the three answers of a fetch.

A source fetches, and does nothing else: threads, retries, the last good value and the status are
the updater's. So a source is one small class, and needs no lock: one thread at a time calls it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    import threading


class Document(msgspec.Struct, frozen=True):
    """The flag as the source has it now."""

    body: bytes
    """Not yet parsed. At most ``MAX_BYTES``; a source need not read further than one byte past."""
    revision: str
    """Names this content: a release key, a hash, an etag. Another content has another revision."""


class NotModified(msgspec.Struct, frozen=True):
    """The source still has the document whose revision is the ``previous`` of this fetch."""


class Absent(msgspec.Struct, frozen=True):
    """The source answered, and has no such document. Debug is off then."""


Fetched: TypeAlias = Document | NotModified | Absent


class SourceError(Exception):
    """A fetch failed, in words for an operator. The last good flag stays; the fetch is repeated.

    ``retry_after``: seconds the source asked to be left alone, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FlagSource(ABC):
    """Where the flag is kept. Subclass it to ask a place of your own; only ``fetch`` is a must.

    A subclass sets ``name``, which stands in every log line and in the status:
    ``file:/etc/orders/flag.json``. It holds no credential.
    """

    name: str

    immediate: bool = False
    """True when a fetch is a quick local read. The first one is then done while the client is
    constructed, so that its first request already knows the flag."""

    constant: bool = False
    """True when the answer can never change. It is asked once, and does not run out."""

    hold: float = 30.0
    """Seconds for which one fetch may wait for a change, unless ``immediate``: well below the 60 s at
    which proxies usually cut."""

    recheck: float = 300.0
    """Seconds after which the updater passes ``previous=None`` once, because what tells a source
    ``NotModified`` (a time stamp, an etag, a watch) may be wrong."""

    @abstractmethod
    def fetch(self, previous: str | None, *, wait: float, cancel: threading.Event) -> Fetched:
        """Ask once.

        previous  revision of the document in force. ``None``: there is none, or it is to be read
                  again; answer at once, and never with ``NotModified``.
        wait      seconds a source that can be notified may hold on for a change (a long poll).
                  A source that cannot answers at once.
        cancel    set when the answer is no longer wanted: stop waiting, return or raise anything.

        Raises ``SourceError`` when the source gave no answer. Any other exception counts as one,
        but is the worse message.
        """

    def after_fork(self) -> None:  # noqa: B027 - most sources hold nothing
        """Called in the child. Forget sockets and locks, without shutting down: the parent's."""

    def close(self) -> None:  # noqa: B027 - most sources hold nothing
        """Give back what the source holds. Called once, from any thread, after the last fetch."""

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"
