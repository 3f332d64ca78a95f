"""A log record that is a finished line, for handlers that would make no other of it.

The usual record costs as much as the line itself: its fields are looked up, copied into the record
as attributes, and taken out again by the formatter. ``tests/sinks/test_line.py`` holds both ways to
the same bytes.
"""

from __future__ import annotations

import logging
import os
import time
from types import FunctionType
from typing import Any

from tracedclient.trace.moments import SECOND, utc_second

LOGGER_NAME = "tracedclient.trace"
EVENT = "http.client.trace"

NAMES = {logging.INFO: "INFO", logging.WARNING: "WARNING"}
"""The levels that such a record may have, and what they are called unless somebody renames them."""

_AFTER_TIME = {
    level: f'","level":"{name.lower()}","event":"{EVENT}",' for level, name in NAMES.items()
}
_END = f',"logger":"{LOGGER_NAME}"}}'

_SHIPPED = ("logging", "logging.handlers")
# There is one handler in it, which need not be loaded to tell it from an application's subclasses.
_OWN = "tracedclient.sinks.file"


class LineRecord(logging.LogRecord):
    """A record whose ``line`` is all that ``JsonLineFormatter`` says of it."""

    name = LOGGER_NAME
    msg = EVENT
    args = ()
    pathname = __file__
    filename = os.path.basename(__file__)  # noqa: PTH119 - as logging does
    module = "line"
    funcName = "emit"  # noqa: N815 - logging's name
    lineno = 0
    exc_info = exc_text = stack_info = None
    process = processName = thread = threadName = taskName = None  # noqa: N815 - logging's names

    # LogRecord's own looks up thread, process and source file, which nobody asks such a record for.
    def __init__(self, level: int, trace: str) -> None:
        """``trace`` is the JSON object of the trace, with the application's context in it."""
        now = time.time_ns()
        self.created = now / 1e9
        self.levelno = level
        self.levelname = NAMES[level]
        # As `utc_ns()` says it: cutting the digits out costs a quarter of formatting them.
        moment = f"{utc_second(now // SECOND)}.{str(now)[-9:-3]}Z"
        self.line = f'{{"timestamp":"{moment}{_AFTER_TIME[level]}{trace[1:-1]}{_END}'


def takers(target: logging.Logger, level: int) -> list[logging.Handler]:
    """Return the handlers that a record of ``level`` on ``target`` reaches, if ``target`` takes it."""
    found: list[logging.Handler] = []
    current: logging.Logger | None = target
    while current is not None:
        for handler in current.handlers:
            if handler.level <= level and type(handler) is not logging.NullHandler:
                found.append(handler)  # noqa: PERF401 - a comprehension is a call of its own
        current = current.parent if current.propagate else None
    return found


def takers_of_lines(target: logging.Logger, level: int) -> list[logging.Handler]:
    """Return ``takers`` if each writes what ``JsonLineFormatter`` says, and looks at nothing else.

    Others get each field as an attribute of the record, which costs more than all the rest: with
    one of those among them, there are none.
    """
    found = takers(target, level)
    for handler in found:
        kind = type(handler)
        if kind.__module__ != _OWN and (
            kind.__module__ not in _SHIPPED or not isinstance(handler, logging.StreamHandler)
        ):
            return []
        for one in handler.filters:
            # Its own word, and not its base's: a subclass may look at what it likes.
            if not type(one).__dict__.get("ignores_traces", False):
                return []
        if not getattr(handler.formatter, "writes_lines", False):
            return []
    return found


def shipped(owner: type[Any], name: str) -> object:
    """Return the method as logging defines it; when it was replaced before we came, nothing is."""
    method = vars(owner)[name]
    is_own = isinstance(method, FunctionType) and method.__module__ == logging.__name__
    return method if is_own and not hasattr(method, "__wrapped__") else object()
