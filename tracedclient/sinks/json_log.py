"""The log line: a finished trace through structlog on the logger ``tracedclient.trace``.

The library configures no logging. An application that has none of its own for this logger merges
``logging_config()`` into its ``dictConfig``, or passes it as it is.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from tracedclient.trace.schema import fit, to_dict

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tracedclient.trace.model import TraceResult

LOGGER_NAME = "tracedclient.trace"
EVENT = "http.client.trace"

logger = logging.getLogger("tracedclient")

# An event key of one of these names makes the standard library raise in the middle of a request.
_RESERVED = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "exc_info",
    "stack_info",
    "stacklevel",
    "extra",
    "event",
    "msg",
}

_MAX_CONTEXT = 512


class JsonLogSink:
    """Writes each trace as one line; what the application bound in structlog's context rides along."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(LOGGER_NAME)
        self._lock = threading.Lock()
        self._structlog: Any = None
        self._has_warned = False

    def emit(self, result: TraceResult) -> None:
        level = logging.INFO if result.outcome == "ok" else logging.WARNING
        if not self._has_warned and _is_dropped(self._logger, level):
            self._warn(level)
        if self._logger.isEnabledFor(level):
            self._bound().log(level, EVENT, **to_dict(fit(result)))

    def _bound(self) -> Any:
        if self._structlog is None:
            with self._lock:
                self._structlog = _wrap(self._logger)
        return self._structlog

    def _warn(self, level: int) -> None:
        self._has_warned = True
        logger.warning(
            "debug is on, but the logger %r drops %s lines: traces are made and lost. Pass "
            "tracedclient.logging_config() to logging.config.dictConfig, or give that logger a "
            "handler and the level INFO.",
            LOGGER_NAME,
            logging.getLevelName(level),
        )


def _wrap(target: logging.Logger) -> Any:
    # Loaded here: together they cost as much as half of requests, and most processes never trace.
    import structlog  # noqa: PLC0415

    return structlog.wrap_logger(
        target,
        processors=[_shape, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    )


def _shape(_: Any, __: str, event_dict: MutableMapping[str, Any]) -> dict[str, Any]:
    """Put the time first and the application's bound context last, without harm from either."""
    from structlog.contextvars import get_contextvars  # noqa: PLC0415

    context = {
        key: _bounded(value)
        for key, value in get_contextvars().items()
        if key not in _RESERVED and key not in event_dict
    }
    return {"timestamp": utc_now(), **event_dict, **context}


def _bounded(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= _MAX_CONTEXT else f"{text[: _MAX_CONTEXT - 1]}…"


def _is_dropped(target: logging.Logger, level: int) -> bool:
    if not target.isEnabledFor(level):
        return True
    return not any(
        handler.level <= level and not isinstance(handler, logging.NullHandler)
        for handler in _handlers(target)
    )


def _handlers(target: logging.Logger) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    current: logging.Logger | None = target
    while current is not None:
        handlers += current.handlers
        current = current.parent if current.propagate else None
    return handlers


def utc_now() -> str:
    """Return the time as ``2026-11-20T22:27:58.009138Z``, always of that width."""
    return utc(datetime.now(timezone.utc))


def utc(moment: datetime) -> str:
    """Return ``moment``, which is UTC, as ``2026-11-20T22:27:58.009138Z``."""
    return moment.isoformat(timespec="microseconds")[:26] + "Z"
