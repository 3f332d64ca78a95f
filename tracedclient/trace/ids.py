"""Trace ids: the check of those that come in, and the making of new ones.

Any id of 1 to 128 characters of ``A-Z a-z 0-9 . _ : / + = @ -`` is good: none of them can forge a
header or a log line, and all ids in use (W3C, B3, X-Ray, UUID) are made of them. An id of 32
lower-case hex digits is also a W3C trace id and travels as ``traceparent``.

New ids are random, not secret: they come from a generator of this process's own, seeded by the
operating system. Not from the ``random`` module's, which an application may seed with a constant.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

from tracedclient._pattern import pattern

if TYPE_CHECKING:
    from collections.abc import Callable

# \Z and not $: $ lets a trailing newline pass.
_VALID = pattern(r"\A[A-Za-z0-9._:/+=@-]{1,128}\Z")
W3C_TRACE_ID = pattern(r"\A(?!0{32}\Z)[0-9a-f]{32}\Z")
_MAX_LENGTH = 128


class _Generator:
    """Random bits; a forked child does not repeat its parent's."""

    bits: Callable[[int], int]

    def __init__(self) -> None:
        self.bits = self._first_bits

    def _first_bits(self, count: int) -> int:
        # Not before: importing changes nothing, and a hook at the fork cannot be taken back.
        self._seed()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._seed)
        return self.bits(count)

    def _seed(self) -> None:
        self.bits = random.Random().getrandbits  # noqa: S311 - ids are no secrets


_generator = _Generator()


def new_trace_id() -> str:
    """Return a new id of 32 hex digits (W3C Trace Context §3.2.2.3), never all zero."""
    return (_generator.bits(128) or 1).to_bytes(16, "big").hex()


def new_span_id() -> str:
    """Return a new id of 16 hex digits (W3C Trace Context §3.2.2.4), never all zero."""
    return (_generator.bits(64) or 1).to_bytes(8, "big").hex()


def is_w3c_trace_id(trace_id: str) -> bool:
    """Whether ``trace_id`` is 32 lower-case hex digits, not all zero."""
    return W3C_TRACE_ID.match(trace_id) is not None


def validate_trace_id(trace_id: str) -> str:
    """Return ``trace_id`` when it is safe in a header and in a log line.

    Raises ``TypeError`` when it is no string, ``ValueError`` when it is empty, longer than 128
    characters, or has a character that an id cannot have. The bad id is not quoted: it may be an
    attempt at forging the very line the error ends up in.
    """
    if not isinstance(trace_id, str):
        raise TypeError(f"trace_id must be a str, not {type(trace_id).__name__}")
    if _VALID.match(trace_id):
        return trace_id
    if not trace_id:
        raise ValueError("trace_id must not be empty; pass None to have one made")
    if len(trace_id) > _MAX_LENGTH:
        raise ValueError(
            f"trace_id must have at most {_MAX_LENGTH} characters, not {len(trace_id)}"
        )
    bad = next(i for i, char in enumerate(trace_id) if not _VALID.match(char))
    raise ValueError(
        f"trace_id must consist of A-Z a-z 0-9 . _ : / + = @ - only; the character at {bad} "
        f"is U+{ord(trace_id[bad]):04X}"
    )


def is_trace_id(value: str) -> bool:
    """Whether ``validate_trace_id`` would take it."""
    return _VALID.match(value) is not None
