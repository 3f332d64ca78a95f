"""A log record that is a finished line, for handlers that would make no other of it.

The usual record costs as much as the line itself: its fields are looked up, copied into the record
as attributes, and taken out again by the formatter. ``tests/sinks/test_line.py`` holds both ways to
the same bytes.
"""

from __future__ import annotations

import logging
import os
import time

_SHIPPED = ("logging", "logging.handlers")


class LineRecord(logging.LogRecord):
    """A record whose ``line`` holds the JSON object of all its fields."""

    args = ()
    pathname = __file__
    filename = os.path.basename(__file__)  # noqa: PTH119 - as logging does
    module = "line"
    funcName = "emit"  # noqa: N815 - logging's name
    lineno = 0
    exc_info = exc_text = stack_info = None
    process = processName = thread = threadName = taskName = None  # noqa: N815 - logging's names

    # LogRecord's own looks up thread, process and source file, which nobody asks such a record for.
    def __init__(self, name: str, level: int, event: str, line: str) -> None:
        self.created = time.time()
        self.name = name
        self.msg = event
        self.levelno = level
        self.levelname = logging.getLevelName(level)
        self.line = line


def takers(target: logging.Logger, level: int) -> list[logging.Handler]:
    """Return the handlers that a record of ``level`` on ``target`` reaches, if ``target`` takes it."""
    found: list[logging.Handler] = []
    current: logging.Logger | None = target
    while current is not None:
        found += [
            handler
            for handler in current.handlers
            if handler.level <= level and type(handler) is not logging.NullHandler
        ]
        current = current.parent if current.propagate else None
    return found


def is_enough_for(handler: logging.Handler) -> bool:
    """Whether ``handler`` writes what ``JsonLineFormatter`` says, and looks at nothing else.

    Others get each field as an attribute of the record, which costs more than all the rest.
    """
    if type(handler).__module__ not in _SHIPPED or not isinstance(handler, logging.StreamHandler):
        return False
    for one in handler.filters:
        # Its own word, and not its base's: a subclass may look at what it likes.
        if not vars(type(one)).get("ignores_traces", False):
            return False
    return getattr(handler.formatter, "writes_lines", False)
