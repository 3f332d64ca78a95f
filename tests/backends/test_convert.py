"""A log file that `tracedclient convert` turned into OTLP, taken by a real collector."""

from __future__ import annotations

import pytest
import servers
from logged import app_line, trace_line

from backends.company import QUICK
from backends.seen import tree
from tracedclient import HTTPClient
from tracedclient.cli import main

REDIRECTED, RETRIED = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"
TREES = {
    REDIRECTED: [
        (
            "shop INTERNAL tracedclient.do 200",
            [
                (
                    "shop INTERNAL attempt 200",
                    [("shop CLIENT GET 302", []), ("shop CLIENT GET 200 resend 1", [])],
                )
            ],
        )
    ],
    RETRIED: [
        (
            "shop INTERNAL tracedclient.do 200",
            [
                ("shop INTERNAL attempt 503 error", [("shop CLIENT GET 503 error", [])]),
                ("shop INTERNAL attempt 200", [("shop CLIENT GET 200 resend 1", [])]),
            ],
        )
    ],
}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log: a call that was redirected, one that was tried again, a line of the application's."""
    answers = iter([(302, {"Location": "/b"}), (200, {}), (503, {}), (200, {})])

    def app(_):
        status, headers = next(answers)
        return servers.Answer(status, b"", headers)

    with (
        servers.serve(app) as server,
        HTTPClient(service="shop", debug=True, sinks=[], retry=QUICK) as client,
    ):
        traces = [client.get(f"{server.url}/a", one).trace for one in (REDIRECTED, RETRIED)]
    path = tmp_path_factory.mktemp("log") / "app.log"
    path.write_bytes(app_line() + b"".join(map(trace_line, traces)))
    return path


@pytest.fixture(scope="module")
def answers(log, collector):
    """The collector's answers to the lines that the command made of the log."""
    target = log.with_name("app.jsonl")
    assert main(["convert", str(log), "--to", "otlp-json", "-o", str(target)]) == 0
    return [collector.post("/v1/traces", line) for line in target.read_bytes().splitlines()]


def test_collector_takes_each_line(collector, answers):
    """Each line is a request that a collector takes whole, and its spans are there as a tree."""
    assert [one.status_code for one in answers] == [200, 200]
    assert [one.json() for one in answers] == [{"partialSuccess": {}}] * 2
    assert {one: tree(collector.spans(one, 4)) for one in TREES} == TREES


@pytest.mark.usefixtures("answers")
def test_jaeger_gives_converted_calls_back(jaeger):
    """What was only a line in a file is a trace in Jaeger, found by the id in that line."""
    assert {one: tree(jaeger.spans(one, 4)) for one in TREES} == TREES
