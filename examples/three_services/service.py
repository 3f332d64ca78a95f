"""What each of the services does at its start: its log, its client, and how it ends."""

from __future__ import annotations

import logging.config
import os
import signal
import socket
import threading

import spans

import tracedclient
from tracedclient.debug import FileSource

SHOP = os.environ["SHOP"]
STOCK = os.environ["STOCK"]
"""Where the two are: http://host:port."""


def start(name: str) -> tracedclient.HTTPClient:
    """Set up the log ``logs/name.log``, and return the client of the service ``name``."""
    config = tracedclient.logging_config(filename=f"logs/{name}.log")
    # The application's own lines go there too, as JSON and with the trace id.
    config["root"] = {"handlers": ["tracedclient"], "level": "INFO"}
    logging.config.dictConfig(config)
    return tracedclient.HTTPClient(
        service=name,
        debug=FileSource("flag.json"),  # one file for all of them
        instruments=spans.instruments(name),
    )


def end_with_parent() -> None:
    """Have this process end on SIGTERM, and when the one that started it is gone.

    That one holds the other end of stdin, which closes however it ended. Ctrl-C reaches all
    processes of a terminal at once, and is meant for that one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_watch_stdin, daemon=True).start()


def listening() -> socket.socket:
    """Return the socket that the parent has bound for this service."""
    return socket.socket(fileno=int(os.environ["LISTEN_FD"]))


def _watch_stdin() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _end(*_: object) -> None:
    raise SystemExit(0)
