"""Does ``doctor`` see whether traces would appear?"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from logs_of_traces import RETRIED, line, own_line

import tracedclient
from tracedclient.cli.doctor.logs import check_configuration, check_log
from tracedclient.cli.timeline import moment

APPLICATION = """
import logging, logging.config
from tracedclient import logging_config
from pythonjsonlogger.json import JsonFormatter

GOOD = logging_config()
def good(): logging.config.dictConfig(logging_config())
def in_no_directory(): logging.config.dictConfig(logging_config(filename="gone/app.log"))
def later_in_no_directory():
    config = logging_config(filename="gone/app.log")
    config["handlers"]["tracedclient"]["delay"] = True
    logging.config.dictConfig(config)
def in_a_directory(): logging.config.dictConfig(logging_config(filename="."))
def in_a_file(): logging.config.dictConfig(logging_config(filename="app.log"))
def basic(): logging.basicConfig(level="INFO")
def warnings_only(): logging.basicConfig(level="WARNING")
def nothing(): pass
def broken(): raise RuntimeError("Authorization: Bearer s3cret")
def as_json():
    handler = logging.StreamHandler(); handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler); logging.getLogger().setLevel("INFO")
def twice():
    good(); as_json(); logging.getLogger("tracedclient.trace").propagate = True
def fails():
    class Broken(logging.Formatter):
        def format(self, record): raise KeyError("x")
    handler = logging.StreamHandler(); handler.setFormatter(Broken())
    logging.getLogger().addHandler(handler); logging.getLogger().setLevel("INFO")
def shortens():
    class Short(JsonFormatter):
        def process_log_record(self, data): data.pop("attempts"); return data
    handler = logging.StreamHandler(); handler.setFormatter(Short())
    logging.getLogger().addHandler(handler); logging.getLogger().setLevel("INFO")
"""


@pytest.fixture
def application(tmp_path, monkeypatch):
    """Has `doctor` look at ``application:NAME``; afterwards logging is as it was."""
    tmp_path.joinpath("application.py").write_text(APPLICATION)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "application", raising=False)
    yield _checked
    sys.modules.pop("application", None)


def _checked(name):
    loggers = [logging.getLogger(name) for name in ("", "tracedclient.trace")]
    before = [(one, one.level, one.propagate, list(one.handlers)) for one in loggers]
    for one in loggers:
        # pytest's own would take traces as well.
        one.handlers[:] = []
    try:
        return list(check_configuration(name if ":" in name else f"application:{name}"))
    finally:
        for one, level, propagate, handlers in before:
            for handler in set(one.handlers) - set(handlers):
                handler.close()
            one.setLevel(level)
            one.propagate, one.handlers[:] = propagate, handlers


@pytest.mark.parametrize("name", ["good", "GOOD", "as_json", "in_a_file"])
def test_what_writes_traces_is_good(application, name):
    """logging_config, as a dict or applied, and python-json-logger at the root are found good."""
    (finding,) = application(name)
    assert finding.state == "good"
    assert "writes traces as lines of JSON" in finding.said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("basic", "without their fields"),
        ("warnings_only", "drops INFO"),
        ("nothing", "no handler takes traces"),
        ("broken", "RuntimeError"),
        ("fails", "fails on a trace: KeyError"),
        ("shortens", "leaves out fields"),
        ("missing", "AttributeError"),
        ("nowhere:CONFIG", "ModuleNotFoundError"),
        (":CONFIG", "names no part of a module"),
        ("in_no_directory", "gone/app.log"),
        ("later_in_no_directory", "cannot write"),
        ("in_a_directory", "Is a directory"),
    ],
)
def test_what_loses_traces_is_a_problem(application, name, words):
    """A level, a formatter, a file or an error by which traces are lost is a problem, with what to do."""
    found = application(name)
    hit = next(finding for finding in found if words in finding.said)
    assert hit.state == "problem"
    assert hit.advice
    assert "s3cret" not in repr(found)


def test_what_writes_twice_is_for_attention(application):
    """Traces that propagate to the root's handler as well are written twice, and that is said."""
    found = application("twice")
    assert any(f.state == "attention" and "written 2 times" in f.said for f in found)


def test_the_command_finds_the_application_beside_it(tmp_path):
    """`tracedclient doctor --logging application:GOOD` imports it from the current directory."""
    tmp_path.joinpath("application.py").write_text(APPLICATION)
    code = "import sys; from tracedclient.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "doctor", "--json", "--logging", "application.GOOD"],
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(tracedclient.__file__).parents[1])},
    )
    assert json.loads(done.stdout.splitlines()[0])["state"] == "good"


@pytest.fixture
def log(tmp_path):
    """Writes lines to a log, and returns what is found in it ten seconds after the trace."""

    def checked(*lines, after=10.0):
        path = tmp_path / "app.log"
        path.write_text("\n".join(lines) + "\n")
        return list(check_log(str(path), now=moment(RETRIED.started_at).timestamp() + after))

    return checked


def test_a_recent_trace_is_good(log):
    """A log with traces says how many, and how old the last is."""
    (finding,) = log(own_line(), line(RETRIED), line(RETRIED))
    assert finding.state == "good"
    assert "2 traces, the last 10 s ago" in finding.said


def test_no_trace_is_for_attention(log):
    """A log without traces may be in order, the flag being off; both are said."""
    (finding,) = log(own_line())
    assert finding.state == "attention"
    assert "--flag" in finding.advice


def test_broken_traces_are_a_problem(log):
    """Traces that something has cut cannot be read, and that is a problem."""
    broken, recent = log(line(RETRIED)[:300], line(RETRIED))
    assert (broken.state, recent.state) == ("problem", "good")
    assert "1 of 2 traces cannot be read" in broken.said


def test_a_trace_from_the_future_hints_at_the_clock(log):
    """A trace that is yet to come means that two clocks differ."""
    (finding,) = log(line(RETRIED), after=-30.0)
    assert finding.state == "attention"
    assert "clocks" in finding.advice


def test_a_log_that_is_not_there(tmp_path):
    """A log that cannot be read is a problem."""
    (finding,) = check_log(str(tmp_path / "none"))
    assert finding.state == "problem"
    assert "No such file" in finding.said


def test_only_the_end_of_a_large_log_is_read(tmp_path):
    """Of a log larger than 8 MB the first, halved line does no harm."""
    path = tmp_path / "app.log"
    path.write_text("x" * 9_000_000 + "\n" + line(RETRIED) + "\n")
    (finding,) = check_log(str(path))
    assert "1 trace," in finding.said
