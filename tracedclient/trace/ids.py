"""Trace ids: the check of those that come in, the making of new ones, and ``traceparent``.

Any id of 1 to 128 characters of ``A-Z a-z 0-9 . _ : / + = @ -`` is good: none of them can forge a
header or a log line, and all ids in use (W3C, B3, X-Ray, UUID) are made of them. An id of 32
lower-case hex digits is also a W3C trace id and travels as ``traceparent``.
"""

from __future__ import annotations

import re
import secrets

# \Z and not $: $ lets a trailing newline pass.
_VALID = re.compile(r"\A[A-Za-z0-9._:/+=@-]{1,128}\Z")
_W3C = re.compile(r"\A(?!0{32}\Z)[0-9a-f]{32}\Z")
_MAX_LENGTH = 128


def new_trace_id() -> str:
    """Return a new id of 32 hex digits (W3C Trace Context §3.2.2.3), never all zero."""
    return secrets.token_bytes(16).hex()


def new_span_id() -> str:
    """Return a new id of 16 hex digits (W3C Trace Context §3.2.2.4)."""
    return secrets.token_bytes(8).hex()


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


def traceparent(trace_id: str, *, sampled: bool) -> str | None:
    """Return the W3C ``traceparent`` header (§3.2) of a new span, ``None`` for another kind of id."""
    if not _W3C.match(trace_id):
        return None
    return f"00-{trace_id}-{new_span_id()}-{'01' if sampled else '00'}"
