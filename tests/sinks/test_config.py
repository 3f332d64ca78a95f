"""``logging_config()``: a fragment that makes traces appear and leaves the rest alone."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys

import pytest
from made_traces import result

from tracedclient import JsonLogSink, logging_config
from tracedclient.inbound import trace_context


def test_default_writes_to_standard_error(capsys):
    """Passed as it is, it writes traces to standard error, and nothing to standard output."""
    logging.config.dictConfig(logging_config())
    JsonLogSink().emit(result(trace_id="call-1"))
    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err)["trace_id"] == "call-1"


def test_stream_can_be_chosen(capsys):
    """``stream`` takes what dictConfig takes."""
    logging.config.dictConfig(logging_config(stream="ext://sys.stdout"))
    JsonLogSink().emit(result())
    out, err = capsys.readouterr()
    assert json.loads(out)["event"] == "http.client.trace"
    assert err == ""


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_file_can_be_chosen(tmp_path, kind):
    """``filename`` takes a str or a path, and the file is there when logging is configured."""
    path = tmp_path / "traces.log"
    logging.config.dictConfig(logging_config(filename=kind(path)))
    assert path.read_text() == ""
    JsonLogSink().emit(result(service_name="naïve"))
    assert '"naïve"' in path.read_text(encoding="utf-8")


def test_file_that_cannot_be_opened_is_an_error_of_the_configuration(tmp_path):
    """A directory that is not there is said, with the file's name, by dictConfig and not by the first line."""
    path = tmp_path / "gone" / "app.log"
    with pytest.raises(ValueError, match="handler 'tracedclient'") as caught:
        logging.config.dictConfig(logging_config(filename=path))
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    assert str(path) in str(caught.value.__cause__)


def test_file_may_wait_for_the_first_line(tmp_path):
    """An application that sets ``delay`` has the file made with the first line."""
    path = tmp_path / "traces.log"
    config = logging_config(filename=path)
    config["handlers"]["tracedclient"]["delay"] = True
    logging.config.dictConfig(config)
    assert not path.exists()
    JsonLogSink().emit(result(trace_id="call-1"))
    assert json.loads(path.read_text())["trace_id"] == "call-1"


def test_file_rotated_before_the_first_line(log):
    """A file renamed between configuration and first line keeps nothing; the line is in the new one."""
    rotated = log.path.rename(log.path.with_suffix(".1"))
    JsonLogSink().emit(result(trace_id="call-1"))
    assert rotated.read_text() == ""
    assert log.one["trace_id"] == "call-1"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"filename": print}, TypeError, "filename must be a str or a path"),
        ({"filename": b"app.log"}, TypeError, "filename must be a str or a path, not bytes"),
        ({"stream": "stdout"}, ValueError, "stream must be such as 'ext://sys.stdout'"),
    ],
)
def test_argument_that_cannot_be_meant_is_named(arguments, error, words):
    """What would fail with the first line, or write to a file of another name, is refused."""
    with pytest.raises(error, match=words):
        logging_config(**arguments)


def test_file_may_be_rotated(log):
    """After a log rotation the next line goes to the new file, and none is lost."""
    sink = JsonLogSink()
    sink.emit(result(trace_id="call-1"))
    rotated = log.path.rename(log.path.with_suffix(".1"))
    sink.emit(result(trace_id="call-2"))
    assert "call-1" in rotated.read_text()
    assert log.one["trace_id"] == "call-2"


@pytest.mark.parametrize(
    ("level", "written"), [("INFO", ["ok", "timeout"]), ("WARNING", ["timeout"])]
)
def test_level(tmp_path, level, written):
    """``level`` chooses between all traces and those that did not go well."""
    path = tmp_path / "traces.log"
    logging.config.dictConfig(logging_config(filename=path, level=level))
    for outcome in ("ok", "timeout"):
        JsonLogSink().emit(result(outcome=outcome))
    assert [json.loads(line)["outcome"] for line in path.read_text().splitlines()] == written


def test_other_loggers_stay_as_they_are(tmp_path):
    """Existing loggers keep their level and handlers, are not disabled, and go on writing."""
    path = tmp_path / "own.log"
    own = logging.getLogger("app")
    own.addHandler(logging.FileHandler(path))
    own.setLevel(logging.DEBUG)
    root = logging.getLogger()
    before = (root.level, root.handlers[:], own.handlers[:])
    logging.config.dictConfig(logging_config(stream="ext://sys.stderr"))
    assert (root.level, root.handlers, own.handlers) == before
    assert not own.disabled
    own.debug("still here")
    assert path.read_text() == "still here\n"


def test_line_is_not_written_twice(log):
    """A root handler does not write the trace a second time."""
    stream = io.StringIO()
    logging.getLogger().addHandler(logging.StreamHandler(stream))
    logging.getLogger().setLevel(logging.INFO)
    JsonLogSink().emit(result())
    assert stream.getvalue() == ""
    assert len(log.records) == 1


def test_fragment_can_be_merged(tmp_path):
    """Merged into an application's own configuration, its formatter serves the handlers of both."""
    fragment = logging_config(filename=tmp_path / "all.log")
    own = {
        "version": 1,
        "formatters": fragment["formatters"],
        "filters": fragment["filters"],
        "handlers": fragment["handlers"],
        "loggers": {
            **fragment["loggers"],
            "app": {"handlers": ["tracedclient"], "level": "INFO", "propagate": False},
        },
    }
    logging.config.dictConfig(own)
    with trace_context("call-1"):
        logging.getLogger("app").info("paid")
    JsonLogSink().emit(result(trace_id="call-1"))
    lines = [json.loads(line) for line in (tmp_path / "all.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["paid", "http.client.trace"]
    assert {line["trace_id"] for line in lines} == {"call-1"}
    assert all(list(line)[:3] == ["timestamp", "level", "event"] for line in lines)


def test_fragment_is_plain_data():
    """The fragment is JSON, so that it can stand in a configuration file; each call's is its own."""
    fragment = logging_config(filename="x.log")
    assert json.loads(json.dumps(fragment)) == fragment
    fragment["loggers"].clear()
    assert logging_config(filename="x.log")["loggers"]


def test_configuring_happens_only_where_it_is_asked_for():
    """Making the fragment, and a sink, configures nothing."""
    before = logging.getLogger("tracedclient.trace").handlers[:]
    logging_config()
    JsonLogSink()
    assert logging.getLogger("tracedclient.trace").handlers == before
    assert "tracedclient.sinks" in sys.modules


def test_logging_config_brings_it(tmp_path):
    """With ``logging_config()`` an application's line and the trace are found by one id."""
    path = tmp_path / "all.log"
    config = logging_config(filename=path)
    config["loggers"]["app"] = {"handlers": ["tracedclient"], "level": "INFO", "propagate": False}
    logging.config.dictConfig(config)
    with trace_context("order-5"):
        logging.getLogger("app").info("paid")
        logging.getLogger("app.cart").info("kept")
    JsonLogSink().emit(result(trace_id="order-5"))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["paid", "kept", "http.client.trace"]
    assert {line["trace_id"] for line in lines} == {"order-5"}


def test_trace_of_another_call_keeps_its_own_id(tmp_path):
    """A trace logged while another id is bound says its own, once."""
    path = tmp_path / "all.log"
    logging.config.dictConfig(logging_config(filename=path))
    with trace_context("order-5"):
        JsonLogSink().emit(result(trace_id="call-1"))
    (line,) = path.read_text().splitlines()
    assert line.count('"trace_id"') == 1
    assert json.loads(line)["trace_id"] == "call-1"
