"""The flag's document: bytes of a config centre → a ``Snapshot``, or ``InvalidDocument``.

The schema is closed, and every "on" has an end: a typing error cannot switch tracing on, and a
config centre that is down cannot leave it on.
"""

from __future__ import annotations

from typing import Literal

import msgspec

MAX_BYTES = 64 * 1024
MAX_TTL = 4 * 3600.0
"""Seconds that debug stays on at most, counted from the first sight of a document."""
BARE_TTL = 30 * 60.0
"""Seconds that a bare ``true`` means."""

EXAMPLE = '{"schema": 1, "enabled": true, "until": 1795000000}'


class InvalidDocument(ValueError):
    """The document is not one; the message says what is wrong, and where."""


class FlagDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an on-call engineer publishes, as JSON. ``true`` and ``false`` are its short forms."""

    schema: Literal[1]
    enabled: bool
    until: float
    """Epoch seconds at which debug ends by itself; at most ``MAX_TTL`` ahead counts."""
    updated_by: str | None = None
    reason: str | None = None
    """``INC-4711``: it stands in the log line that announces the change."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The decision, ready to be read by every request."""

    on: bool = False
    until: float | None = None
    """Epoch seconds; ``None``: no end, or nothing that could end."""
    updated_by: str | None = None
    reason: str | None = None

    def is_on(self, now: float) -> bool:
        """Whether debug is on at ``now`` (epoch seconds)."""
        return self.on and (self.until is None or now < self.until)


_decoder: msgspec.json.Decoder[bool | FlagDocument] = msgspec.json.Decoder(bool | FlagDocument)


def parse(body: bytes, *, now: float) -> Snapshot:
    """Read a document that is seen for the first time at ``now`` (epoch seconds).

    Raises ``InvalidDocument``, and nothing else, whatever the bytes.
    """
    document = _decode(body)
    if isinstance(document, bool):
        return Snapshot(on=document, until=now + BARE_TTL if document else None)
    until = min(document.until, now + MAX_TTL)
    return Snapshot(
        on=document.enabled and now < until,
        until=until if document.enabled else None,
        updated_by=document.updated_by,
        reason=document.reason,
    )


def _decode(body: bytes) -> bool | FlagDocument:
    if len(body) > MAX_BYTES:
        raise InvalidDocument(f"the document is larger than {MAX_BYTES // 1024} kB")
    if not body.strip():
        raise InvalidDocument("the document is empty; to switch debug off, write false")
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidDocument(f"{_in_words(error)}; write true, false, or {EXAMPLE}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidDocument(f"the document is not JSON: {excerpt(str(error))}") from None
    except UnicodeError as error:
        raise InvalidDocument(f"the document is not UTF-8: {excerpt(str(error))}") from None


def _in_words(error: msgspec.ValidationError) -> str:
    text = excerpt(str(error))
    if text.startswith("Invalid enum value"):
        return f"{text}: schema 1 is the only one that this version knows"
    return text


def excerpt(text: str, limit: int = 80) -> str:
    """``text`` made fit for one log line: cut, and without line ends or terminal escapes."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:limit])
    return shown if len(text) <= limit else f"{shown}…"
