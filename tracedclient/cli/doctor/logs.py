"""Logging: would a trace appear, and as a line that can be found again."""

from __future__ import annotations

import logging
import logging.config
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.cli.doctor.finding import attention, good, problem
from tracedclient.cli.flag_times import span
from tracedclient.cli.quantities import counted
from tracedclient.cli.timeline import moment
from tracedclient.cli.writable import refusal
from tracedclient.redaction import redact_text
from tracedclient.sinks.line import EVENT, LOGGER_NAME
from tracedclient.trace.schema import UnknownSchema, from_json, to_dict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.doctor.finding import Finding
    from tracedclient.trace.model import TraceResult

_TAIL = 8 * 1024 * 1024
_SIGN = b'"tracedclient.trace/'
_WIRED = "pass tracedclient.logging_config() to logging.config.dictConfig, or merge it into yours"
_NAME = "give module:name of a dict, or of a function to call"
_WRITABLE = "make the directory, or give this user the right to write there"
_NOT_CHECKED = (
    "name the application's configuration (--logging orders.settings:LOGGING), or a log that it "
    "writes (--check-log FILE)"
)


def not_checked() -> Finding:
    """Return that nobody has said where to look."""
    return attention("logging", "not checked", _NOT_CHECKED)


def check_configuration(dotted: str) -> Iterator[Finding]:
    """Configure logging as ``dotted`` says, and look whether a trace would come through.

    ``dotted`` is ``module:name`` of a dict for ``dictConfig`` or of a function that configures
    logging. It takes effect in this process, handlers that open files included; nothing is logged.
    """
    if "" in _named(dotted):
        yield problem("logging", f"{dotted!r} names no part of a module", _NAME)
        return
    try:
        _configure(dotted)
    except Exception as error:  # noqa: BLE001 - the application's own code may raise anything
        # `dictConfig` says which handler, and its cause why.
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        said = redact_text(f"{dotted}: {type(cause).__name__}: {cause}")
        yield problem("logging", said, _WRITABLE if isinstance(cause, OSError) else _NAME)
        return
    yield from _wiring(logging.getLogger(LOGGER_NAME), dotted)


def _named(dotted: str) -> tuple[str, str]:
    module, colon, name = dotted.partition(":")
    if not colon:
        module, _, name = dotted.rpartition(".")
    return module, name


def _configure(dotted: str) -> None:
    module, name = _named(dotted)
    # As `python -m` does, and an installed script does not.
    if (cwd := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, cwd)
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    if callable(found):
        found = found()
    if isinstance(found, dict):
        logging.config.dictConfig(found)


def _wiring(target: logging.Logger, dotted: str) -> Iterator[Finding]:
    handlers = list(_handlers(target))
    if not target.isEnabledFor(logging.INFO):
        level = logging.getLevelName(target.getEffectiveLevel())
        said = f"{dotted}: the logger {LOGGER_NAME} drops INFO (its level is {level})"
        yield problem("logging", said, f"give it the level INFO, or {_WIRED}")
    taking = [h for h in handlers if h.level <= logging.INFO]
    if not taking:
        yield problem("logging", f"{dotted}: no handler takes traces (INFO)", _WIRED)
        return
    for handler in taking:
        yield _formatted(handler, dotted)
        # With `delay` the handler has not tried yet, and would fail with the first line.
        if isinstance(handler, logging.FileHandler) and (why := refusal(handler.baseFilename)):
            said = f"{dotted}: {type(handler).__name__} cannot write {handler.baseFilename}: {why}"
            yield problem("logging", said, _WRITABLE)
    if len(taking) > 1:
        said = f"{dotted}: each trace is written {len(taking)} times, by as many handlers"
        yield attention("logging", said, f"set propagate to False for {LOGGER_NAME}")


def _handlers(target: logging.Logger) -> Iterator[logging.Handler]:
    current: logging.Logger | None = target
    while current is not None:
        yield from (h for h in current.handlers if not isinstance(h, logging.NullHandler))
        current = current.parent if current.propagate else None


def _formatted(handler: logging.Handler, dotted: str) -> Finding:
    """Format a made-up trace as ``handler`` would, without giving it to anybody."""
    # Only now: the rest needs no made-up trace.
    from tracedclient.testing import make_trace_result  # noqa: PLC0415

    record = logging.makeLogRecord({"name": LOGGER_NAME, "level": logging.INFO, "msg": EVENT})
    record.levelname, record.levelno = "INFO", logging.INFO
    made = make_trace_result()
    vars(record).update(to_dict(made))
    shown = f"{dotted}: {type(handler).__name__}"
    advice = "give that handler the formatter tracedclient.sinks.formatter.JsonLineFormatter"
    try:
        read = from_json(handler.format(record))
    except (msgspec.MsgspecError, ValueError):
        return problem("logging", f"{shown} writes traces without their fields", advice)
    except Exception as error:  # noqa: BLE001 - a formatter of the application's
        return problem("logging", f"{shown} fails on a trace: {type(error).__name__}", advice)
    if read.trace_id != made.trace_id or not read.attempts:
        return problem("logging", f"{shown} changes or leaves out fields of traces", advice)
    return good("logging", f"{shown} writes traces as lines of JSON")


def check_log(path: str, *, now: float | None = None) -> Iterator[Finding]:
    """Look for traces in the last 8 MB of the log ``path``."""
    try:
        lines = _last_lines(Path(path))
    except OSError as error:
        advice = "give a log file that this user may read"
        yield problem("log", f"{path}: {error.strerror or error}", advice)
        return
    ours = [line for line in lines if _SIGN in line]
    read = [trace for trace in map(_trace, ours) if trace is not None]
    if ours and len(read) < len(ours):
        said = f"{path}: {len(ours) - len(read)} of {len(ours)} traces cannot be read"
        yield problem("log", said, "see whether something splits, cuts or changes long lines")
    if read:
        yield _recent(path, read, time.time() if now is None else now)
    elif not ours:
        yield attention("log", f"{path}: no trace in the last {len(lines)} lines", _WHY_NONE)


_WHY_NONE = "see whether the debug flag is on (--flag), and whether logging is wired (--logging)"


def _last_lines(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        if file.tell():
            file.readline()  # half of it
        return file.read().splitlines()


def _trace(line: bytes) -> TraceResult | None:
    _, brace, rest = line.partition(b"{")
    try:
        return from_json(brace + rest)
    except (msgspec.MsgspecError, UnknownSchema, UnicodeDecodeError):
        return None


def _recent(path: str, traces: list[TraceResult], now: float) -> Finding:
    newest = max(traces, key=lambda trace: trace.started_at)
    age = now - moment(newest.started_at).timestamp()
    count = counted(len(traces), "trace", "traces")
    if age < -1:
        said = f"{path}: {count}, the last from {span(-age)} in the future"
        return attention(
            "log", said, "compare the clocks of this machine and the one that wrote it"
        )
    return good("log", f"{path}: {count}, the last {span(age)} ago", trace_id=newest.trace_id)
