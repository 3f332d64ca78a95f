"""The application's log in ``tracedclient demo``: its own lines and the traces, in one JSON file."""

from __future__ import annotations

import json
import logging.config
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from tracedclient.sinks import logging_config
from tracedclient.trace.model import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_APPLICATION = "demo.orders"
_LIBRARY = "tracedclient"


class Count(NamedTuple):
    application: int
    traces: int


class AppLog:
    """What an application does for its log, and what an engineer asks of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, event: str, trace_id: str, **fields: Any) -> None:
        """Log a line of the application's own, with the id of the work it belongs to."""
        logging.getLogger(_APPLICATION).info(event, extra={"trace_id": trace_id, **fields})

    def lines(self) -> list[str]:
        """Return every line; none while nothing has been logged."""
        return self._path.read_text("utf-8").splitlines() if self._path.exists() else []

    def grep(self, text: str) -> list[str]:
        """Return the lines that ``grep -F`` would."""
        return [line for line in self.lines() if text in line]

    def count(self) -> Count:
        """Return how many lines are the application's, and how many are traces."""
        lines = self.lines()
        return Count(
            application=sum(json.loads(line).get("logger") == _APPLICATION for line in lines),
            traces=sum(map(is_trace, lines)),
        )


def is_trace(line: str) -> bool:
    """Whether a line of the log is a trace."""
    return bool(json.loads(line).get("schema") == SCHEMA)


@contextmanager
def app_log(path: Path) -> Iterator[AppLog]:
    """Configure logging as an application would; afterwards its loggers are as they were."""
    config = logging_config(filename=path)
    # The application's own lines, and the library's about the flag, go through the same handler.
    traces = next(iter(config["loggers"].values()))
    config["loggers"] |= {_APPLICATION: traces, _LIBRARY: traces}
    loggers = [logging.getLogger(name) for name in config["loggers"]]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    logging.config.dictConfig(config)
    try:
        yield AppLog(path)
    finally:
        for logger, level, propagate in before:
            _close_handlers(logger)
            logger.setLevel(level)
            logger.propagate = propagate


def _close_handlers(logger: logging.Logger) -> None:
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
