"""What the application bound in structlog's context → what of it rides along in a trace's line."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import msgspec

from tracedclient.redaction import printable
from tracedclient.trace.model import TraceResult

# Keys that the record or the line has already. The first would make the standard library raise in
# the middle of a request; the others would pass for facts of the trace.
_RESERVED = (
    frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None)))
    | {"message", "asctime", "stack_info", "stacklevel", "extra", "taskName"}
    | {"timestamp", "level", "event", "logger", "context_dropped"}
    | {field.name for field in msgspec.structs.fields(TraceResult)}
)

_MAX_TEXT = 512
_MAX_BYTES = 800
_INT64 = 2**63


def bound_context() -> dict[str, Any]:
    """Return the bound keys and values, fit for JSON, at most 800 bytes of it.

    ``context_dropped`` counts those that were too much, the largest first.
    """
    structlog = sys.modules.get("structlog.contextvars")
    if structlog is None:
        # It costs as much as half of requests, and where it is not loaded nobody has bound a thing.
        return {}
    bound = structlog.get_contextvars().items()
    if not bound:
        return {}
    entries = [(printable(key), _plain(value)) for key, value in bound if key not in _RESERVED]
    context: dict[str, Any] = {}
    left = _MAX_BYTES
    for entry in sorted(entries, key=_size):
        left -= _size(entry)
        if left < 0:
            return {**context, "context_dropped": len(entries) - len(context)}
        context.update([entry])
    return context


def _size(entry: tuple[str, Any]) -> int:
    return len(json.dumps(dict([entry])))


def _plain(value: Any) -> Any:
    try:
        return _as_json(value)
    except Exception:  # noqa: BLE001 - a proxy may refuse even to say what it is
        return f"<{type(value).__name__}>"


def _as_json(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int) and -_INT64 <= value < 2 * _INT64:
        return int(value)
    text = as_text(value)
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"


def as_text(value: object) -> str:
    """Return ``value`` as text that JSON can hold; its class when it cannot be made text of."""
    try:
        return printable(str(value))
    except Exception:  # noqa: BLE001 - str() may be anyone's code, and refuses very long ints
        return f"<{type(value).__name__}>"
