"""The flag overridden in this process: for when the config centre is what is down.

Three ways: ``client.debug.override(document, ttl)`` in the code, ``TRACEDCLIENT_TRACE`` in the
environment, and a signal, once the application has asked for that with ``override_on_signal()``.
"""

from __future__ import annotations

import logging
import os
import re
from math import inf
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.debug.document import MAX_TTL, InvalidDocument, excerpt
from tracedclient.debug.snapshot import Snapshot, parse
from tracedclient.debug.unasked import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracedclient.debug.known import Clock

_ON_FOR = re.compile(r"on:([0-9]{1,4}(?:\.[0-9]{1,3})?)")

logger = logging.getLogger("tracedclient.debug")


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Wins over the source until its end."""

    by: str
    snapshot: Snapshot
    ends: float = inf
    """On the monotonic clock."""


def override(
    document: bool | bytes | str | Mapping[str, Any], ttl: float, *, by: str, clock: Clock
) -> Override:
    """Return the override by ``document`` for ``ttl`` seconds, from now on.

    Raises ``InvalidDocument`` (a ``ValueError``) for a document that is none, ``TypeError`` and
    ``ValueError`` for a ``ttl`` that is no time of at most ``MAX_TTL``.
    """
    if isinstance(ttl, bool) or not isinstance(ttl, (int, float)):
        raise TypeError(f"ttl must be a number of seconds, not {type(ttl).__name__}")
    if not 0 < ttl <= MAX_TTL:
        raise ValueError(f"ttl must be above 0 and at most {MAX_TTL:.0f} seconds, not {ttl}")
    wall, since = clock.time(), clock.monotonic()
    if document is True:
        document = {"schema": 1, "enabled": True, "until": wall + ttl}
    snapshot = parse(
        _body(document), now=wall, since=since, source=f"override:{by}", revision=None, ttl=ttl
    )
    return Override(by=by, snapshot=snapshot, ends=since + ttl)


def _body(document: object) -> bytes:
    if isinstance(document, bytes):
        return document
    if isinstance(document, str):
        return document.encode(errors="surrogateescape")
    try:
        return msgspec.json.encode(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidDocument(f"the document cannot be JSON: {excerpt(str(error))}") from None


def from_environment(clock: Clock) -> Override | None:
    """Return what ``TRACEDCLIENT_TRACE`` says: ``off``, ``on:<minutes>``, or a document.

    Never raises: a value that means nothing is warned of, and counts for nothing.
    """
    value = os.environ.get(VARIABLE, "").strip()
    try:
        return _said(value, clock) if value else None
    except ValueError as error:
        logger.warning("%s is ignored: %s", VARIABLE, error)
        return None


def _said(value: str, clock: Clock) -> Override:
    by = "environment"
    if value.lower() == "off":
        return Override(by=by, snapshot=Snapshot())
    if value.startswith("{"):
        return override(value, MAX_TTL, by=by, clock=clock)
    minutes = _ON_FOR.fullmatch(value.lower())
    if minutes is None:
        raise ValueError("it must be off, on:<minutes> such as on:30, or a flag document")
    return override(True, float(minutes[1]) * 60, by=by, clock=clock)
