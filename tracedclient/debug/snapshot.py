"""What one document means here and now: bytes → a ``Snapshot`` that every request reads."""

from __future__ import annotations

import socket
from functools import cache
from math import inf

import msgspec

from tracedclient.debug.document import (
    BARE_TTL,
    DEFAULT_RATE,
    MAX_TTL,
    FlagDocument,
    Rule,
    decode,
)
from tracedclient.debug.rules import RuleBook, compile_rules, everything

_ALL = (Rule(id="all"),)
_EMPTY = 'its rules are an empty list, which matches nothing; for every call write [{"id": "all"}]'


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The decision, ready to be read by every request."""

    on: bool = False
    """Whether any call can match, but for the time."""
    until: float | None = None
    """Epoch seconds; ``None``: no end, or nothing that could end."""
    deadline: float = inf
    """The same on the monotonic clock: the wall clock may be set back, and must not prolong anything."""
    updated_by: str | None = None
    reason: str | None = None
    why_off: str | None = None
    """Why nothing matches, though the document is enabled."""
    max_per_second: float = DEFAULT_RATE
    book: RuleBook = RuleBook(())

    def is_on(self, wall: float, since: float) -> bool:
        """Whether debug is on at ``wall`` (epoch seconds), which is ``since`` on the monotonic clock."""
        return self.on and since < self.deadline and (self.until is None or wall < self.until)


def parse(
    body: bytes,
    *,
    now: float,
    since: float,
    source: str = "",
    revision: str | None = None,
    ttl: float = MAX_TTL,
) -> Snapshot:
    """Read a document that is seen for the first time at ``now``, ``since`` on the monotonic clock.

    It ends by itself after ``ttl`` seconds at the latest.

    Raises ``InvalidDocument``, and nothing else, whatever the bytes.
    """
    document = decode(body)
    if isinstance(document, bool):
        document = FlagDocument(schema=1, enabled=document, until=now + BARE_TTL)
    rules = _ALL if document.rules is msgspec.UNSET else document.rules
    if not document.enabled:
        rules = ()
    lag = since - now
    until = min(document.until, now + ttl)
    book = compile_rules(
        rules,
        source=source,
        revision=revision,
        instance=instance_name(),
        until=until,
        lag=lag,
    )
    return Snapshot(
        on=now < until and len(book) > 0,
        until=until if document.enabled else None,
        deadline=until + lag if document.enabled else inf,
        updated_by=document.updated_by,
        reason=document.reason,
        why_off=_why_off(document, book, ended=until <= now),
        max_per_second=document.max_per_second,
        book=book,
    )


def always(source: str) -> Snapshot:
    """Return "on", without a document and without an end."""
    return Snapshot(on=True, book=everything(source))


def _why_off(document: FlagDocument, book: RuleBook, *, ended: bool) -> str | None:
    if not document.enabled:
        return None
    if ended:
        return "its until has passed"
    if document.rules is not msgspec.UNSET and not document.rules:
        return _EMPTY
    return None if len(book) else f"none of its rules is for this instance, {instance_name()}"


@cache
def instance_name() -> str:
    """Return the name that a rule's ``instances`` are compared with: the machine's, or the pod's."""
    return socket.gethostname()
