"""The log line: a finished trace through structlog on the logger ``tracedclient.trace``.

The library configures no logging. An application that has none of its own for this logger merges
``logging_config()`` into its ``dictConfig``, or passes it as it is.
"""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.sinks.context import bound_context
from tracedclient.sinks.line import (
    EVENT,
    LOGGER_NAME,
    NAMES,
    LineRecord,
    shipped,
    takers,
    takers_of_lines,
)
from tracedclient.trace.moments import utc
from tracedclient.trace.schema import fit, fit_json, to_dict

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tracedclient.trace.model import TraceResult

logger = logging.getLogger("tracedclient")


class JsonLogSink:
    """Writes each trace as one line; what the application bound in structlog's context rides along."""

    def __init__(self) -> None:
        self._logger = logging.getLogger(LOGGER_NAME)
        self._lock = threading.Lock()
        self._structlog: Any = None
        self._has_warned = False

    def emit(self, result: TraceResult) -> None:
        """Log ``result``: INFO when it went well, WARNING when not.

        Where the logger would drop that, say so once, with what to do about it.
        """
        target, level = self._logger, logging.INFO if result.outcome == "ok" else logging.WARNING
        if not (target.isEnabledFor(level) and takers(target, level)):
            self._warn_once(level)
        elif handlers := self.takers_of_lines(level):
            self.emit_line(fit_json(result)[1].decode(), handlers, level)
        else:
            log = self._bound()
            tell = log.info if level == logging.INFO else log.warning
            tell(EVENT, **to_dict(fit(result)))

    def takers_of_lines(self, level: int = logging.INFO) -> list[logging.Handler]:
        """Return who would write the line of a trace; none when it takes more than a line to find
        out: when somebody replaced what makes a record, or gives that level another name.

        Agents that watch an application's logs replace the methods of ``Logger``, for all loggers.
        """
        target, methods = self._logger, logging.Logger
        if (
            type(target) is methods
            and target.isEnabledFor(level)
            and not target.filters
            and logging.getLogRecordFactory() is logging.LogRecord
            and methods.makeRecord is _make_record
            and methods.handle is _handle
            and methods.callHandlers is _call_handlers
            and logging.getLevelName(level) == NAMES[level]
        ):
            return takers_of_lines(target, level)
        return []

    def emit_line(
        self, line: str, handlers: list[logging.Handler], level: int = logging.INFO
    ) -> None:
        """Have ``handlers`` write ``line``, the JSON of a trace."""
        context = bound_context() if "structlog.contextvars" in sys.modules else None
        if context:
            # Two objects as one: neither is empty.
            line = f"{line[:-1]},{msgspec.json.encode(context)[1:].decode()}"
        record = LineRecord(level, line)
        for handler in handlers:
            handler.handle(record)

    def _bound(self) -> Any:
        if self._structlog is None:
            with self._lock:
                self._structlog = _wrap(self._logger)
        return self._structlog

    def _warn_once(self, level: int) -> None:
        with self._lock:
            if self._has_warned:
                return
            self._has_warned = True
        logger.warning(
            "debug is on, but the logger %r drops %s lines: traces are made and lost. Pass "
            "tracedclient.logging_config() to logging.config.dictConfig, or give that logger a "
            "handler and the level INFO.",
            LOGGER_NAME,
            logging.getLevelName(level),
        )


class _Records:
    """A logger as structlog calls it. Our keys stand even where the application's record factory
    sets some of the same name, for which the standard library would raise.
    """

    def __init__(self, target: logging.Logger) -> None:
        self._target = target

    def info(self, msg: str, *, extra: dict[str, Any]) -> None:
        self._handle(logging.INFO, msg, extra)

    def warning(self, msg: str, *, extra: dict[str, Any]) -> None:
        self._handle(logging.WARNING, msg, extra)

    def _handle(self, level: int, msg: str, extra: dict[str, Any]) -> None:
        record = self._target.makeRecord(
            self._target.name, level, __file__, 0, msg, (), None, "emit"
        )
        vars(record).update({"timestamp": utc(record.created), **extra})
        self._target.handle(record)


def _wrap(target: logging.Logger) -> Any:
    # Loaded here: together they cost as much as half of requests, and most processes never trace.
    import structlog  # noqa: PLC0415

    return structlog.wrap_logger(
        _Records(target),
        processors=[_shape, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=False,
    ).bind()


def _shape(_: Any, __: str, event_dict: MutableMapping[str, Any]) -> dict[str, Any]:
    """Put the application's bound context last."""
    return {**event_dict, **bound_context()}


_make_record = shipped(logging.Logger, "makeRecord")
_handle = shipped(logging.Logger, "handle")
_call_handlers = shipped(logging.Logger, "callHandlers")
