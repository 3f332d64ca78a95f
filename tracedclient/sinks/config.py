"""``logging_config()``: the ``dictConfig`` fragment that makes the traces appear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracedclient.sinks.line import LOGGER_NAME

if TYPE_CHECKING:
    import os

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
    takes the place of ``stream``; its handler is a ``LineFileHandler``. Use the formatter and the
    filter ``tracedclient`` for the application's own handlers too, and one grep for a trace id finds
    the lines of both.
    """
    handler: dict[str, Any] = {"formatter": _NAME, "filters": [_NAME], "level": level}
    if filename is None:
        handler |= {"class": "logging.StreamHandler", "stream": stream}
    else:
        handler |= {
            "class": "tracedclient.sinks.LineFileHandler",
            "filename": str(filename),
            "encoding": "utf-8",
            "delay": True,
        }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {_NAME: {"()": "tracedclient.sinks.formatter.JsonLineFormatter"}},
        "filters": {_NAME: {"()": "tracedclient.inbound.TraceIdFilter"}},
        "handlers": {_NAME: handler},
        "loggers": {LOGGER_NAME: {"handlers": [_NAME], "level": level, "propagate": False}},
    }
