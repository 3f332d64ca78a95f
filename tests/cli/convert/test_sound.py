"""Records that no client of ours wrote, in every format."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from logs_of_traces import KINDS, line
from made_traces import attempt, exchange, result

from tracedclient.cli import main
from tracedclient.cli.convert.formats import converter
from tracedclient.cli.convert.sound import sound
from tracedclient.trace.model import ErrorInfo

TEXTS = ["har", "otlp-json", "chrome"]
HOSTILE = {
    "lone surrogates": {"url_full": "http://api.test/\udc80", "error_type": "\ud800"},
    "a number beyond 64 bits": {"process_pid": 10**30, "duration_ms": -1e300},
    "an endless call": {"duration_ms": 1e300, "retry_sleep_ms": 1e308},
    "long ago": {"started_at": "0001-01-01T00:00:00.000000Z"},
    "far ahead": {"started_at": "9999-12-31T23:59:59.999999Z", "duration_ms": 1e11},
    "no text at all": {"url_full": "", "http_request_method": "", "trace_id": ""},
}


@pytest.mark.parametrize("facts", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", TEXTS)
def test_every_format_stays_json(name, facts):
    """Whatever is in a record, what is written is JSON in UTF-8, line by line or as a whole."""
    error = ErrorInfo(type="E", phase="connect", message="\udcff")
    at = facts.get("started_at", "2026-11-20T22:27:58.009138Z")
    sent = exchange(started_at=at, error=error, duration_ms=1e200, ms={"wait": 1e200})
    trace = result(attempt(sent, error=error, started_at=at), **facts)
    body = b"".join(converter(name)([trace, *KINDS.values()])).decode()
    for part in body.splitlines() if name == "otlp-json" else [body]:
        json.loads(part)


@pytest.mark.parametrize("facts", HOSTILE.values(), ids=HOSTILE)
def test_times_of_spans_fit_their_fields(facts):
    """OTLP's times are unsigned numbers of 64 bits; what lies outside is cut to them."""
    (text,) = converter("otlp-json")([result(**facts)])
    for span in json.loads(text)["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        assert 0 <= start <= end < 2**64


def test_what_is_sound_is_left_as_it_is():
    """A usual trace is passed on, the very same object."""
    traces = list(KINDS.values())
    assert all(a is b for a, b in zip(sound(traces), traces, strict=True))


def test_what_is_mended_is_only_what_must_be():
    """Beside the surrogate and the number, all stays as it was."""
    odd = result(url_full="http://api.test/\udc80?k", process_pid=10**30, trace_id="1" * 40)
    (mended,) = sound([odd])
    assert mended.url_full == "http://api.test/\ufffd?k"
    assert mended.process_pid == 10**12
    assert (mended.trace_id, mended.started_at) == (odd.trace_id, odd.started_at)
    assert datetime.fromisoformat(mended.started_at.removesuffix("Z"))


def test_a_log_with_such_a_record_is_converted(tmp_path):
    """The command reads it from a log and writes the file."""
    log = tmp_path / "app.log"
    log.write_text(line(KINDS["retried"], url_full="http://api.test/\udc80") + "\n")
    for name in TEXTS:
        assert main(["convert", str(log), "--to", name, "-o", str(tmp_path / name)]) == 0
