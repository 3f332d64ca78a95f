"""Logging as an application has it, put back as it was after each test."""

from __future__ import annotations

import json
import logging
import logging.config

import pytest
import structlog

from tracedclient import logging_config

_TOUCHED = ("", "tracedclient", "tracedclient.trace", "app")


@pytest.fixture(autouse=True)
def _logging_as_it_was():
    """Gives each test its logging back: levels, handlers, propagation, factory, bound context."""
    loggers = [logging.getLogger(name) for name in _TOUCHED]
    before = [(one, one.level, one.handlers[:], one.propagate, one.disabled) for one in loggers]
    factory, disabled = logging.getLogRecordFactory(), logging.root.manager.disable
    with structlog.contextvars.bound_contextvars():
        yield
    logging.setLogRecordFactory(factory)
    logging.disable(disabled)
    for one, level, handlers, propagate, off in before:
        for handler in set(one.handlers) - set(handlers):
            # pytest attaches its own to loggers that do not propagate.
            if type(handler).__module__.startswith(("logging", "tracedclient")):
                handler.close()
        one.handlers[:], one.propagate, one.disabled = handlers, propagate, off
        one.setLevel(level)
    structlog.contextvars.clear_contextvars()


def _strict(constant):
    raise ValueError(f"{constant} is no JSON")


def parse(line):
    """The object of one line of JSON, which must be strict JSON."""
    return json.loads(line, parse_constant=_strict)


class Lines:
    """A log file written to with ``logging_config()``."""

    def __init__(self, path):
        self.path = path

    @property
    def raw(self):
        """Its lines, each of which must have ended."""
        text = self.path.read_text(encoding="utf-8")
        assert text.endswith("\n")
        return text[:-1].split("\n")

    @property
    def records(self):
        return [parse(line) for line in self.raw]

    @property
    def one(self):
        (record,) = self.records
        return record


@pytest.fixture
def log(tmp_path):
    """The application's log file, configured with ``logging_config(filename=…)`` as it is."""
    path = tmp_path / "app.log"
    logging.config.dictConfig(logging_config(filename=path))
    return Lines(path)
