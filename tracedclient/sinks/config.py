"""``logging_config()``: the ``dictConfig`` fragment that makes the traces appear."""

from __future__ import annotations

import os
from typing import Any

from tracedclient.sinks.line import LOGGER_NAME

_NAME = "tracedclient"


def logging_config(
    *,
    stream: str = "ext://sys.stderr",
    filename: str | os.PathLike[str] | None = None,
    level: str = "INFO",
) -> dict[str, Any]:
    """Return a configuration for ``logging.config.dictConfig`` that logs traces as JSON lines.

    It has one formatter, one handler and the logger ``tracedclient.trace``, and leaves all other
    loggers as they are; merge it into the application's own, or pass it as it is. ``filename``
    takes the place of ``stream``; its handler is a ``LineFileHandler``, which opens the file when
    ``dictConfig`` makes it: one that cannot be opened is an error there. Use the formatter and the
    filter ``tracedclient`` for the application's own handlers too, and one grep for a trace id finds
    the lines of both.

    Raises ``TypeError`` or ``ValueError`` for a ``filename`` or ``stream`` that is none.
    """
    if isinstance(stream, str) and not stream.startswith(("ext://", "cfg://")):
        raise ValueError(f"stream must be such as 'ext://sys.stdout', not {stream!r}")
    handler: dict[str, Any] = {"formatter": _NAME, "filters": [_NAME], "level": level}
    if filename is None:
        handler |= {"class": "logging.StreamHandler", "stream": stream}
    else:
        handler |= {
            "class": "tracedclient.sinks.LineFileHandler",
            "filename": _path(filename),
            "encoding": "utf-8",
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {_NAME: {"()": "tracedclient.sinks.formatter.JsonLineFormatter"}},
        "filters": {_NAME: {"()": "tracedclient.inbound.TraceIdFilter"}},
        "handlers": {_NAME: handler},
        "loggers": {LOGGER_NAME: {"handlers": [_NAME], "level": level, "propagate": False}},
    }


def _path(filename: str | os.PathLike[str]) -> str:
    if not isinstance(filename, (str, os.PathLike)):
        raise TypeError(f"filename must be a str or a path, not {type(filename).__name__}")
    return os.fspath(filename)
