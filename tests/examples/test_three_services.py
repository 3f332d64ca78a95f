"""The one command of examples/three_services, run for real."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess

import pytest
import requests

from examples.conftest import (
    EXAMPLE,
    command,
    environment,
    example_until,
    processes_in,
    run_example,
    wait_for_line,
    wait_until_none_in,
)

SERVICES = ("shop", "stock", "worker")


def lines_of(run, service, trace_id):
    """The lines of a service's log that have the id: those of traces, and its own."""
    log = (run.directory / "logs" / f"{service}.log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    mine = [line for line in lines if line.get("trace_id") == trace_id]
    traces = [line for line in mine if line["logger"] == "tracedclient.trace"]
    return traces, [line for line in mine if line["logger"] == service]


def test_it_ends_well_and_leaves_nothing_behind(done):
    """It exits with 0, says nothing of errors, and no process of it is left."""
    assert done.status == 0, done.err
    assert re.fullmatch(r"(\d traces? and \d+ other lines in 4 of 4 files, .* read\n){2}", done.err)
    assert processes_in(done.directory) == []
    assert list((done.directory / "jobs").iterdir()) == []


def test_one_id_in_the_logs_of_all_three(done):
    """Each service's log has traces and lines of its own with the order's id, and no others' calls."""
    _, trace_id = done.ids
    events = {
        name: [line["event"] for line in lines_of(done, name, trace_id)[1]] for name in SERVICES
    }
    assert events == {
        "shop": ["order.received", "page.updated", "order.packed"],
        "stock": ["shelf.being_counted", "item.reserved"],
        "worker": ["packing", "packed"],
    }
    calls = {
        name: [line["service_name"] for line in lines_of(done, name, trace_id)[0]]
        for name in SERVICES
    }
    assert calls == {"shop": ["shop"], "stock": ["stock"], "worker": ["worker"] * 2}


def test_without_the_flag_there_are_the_lines_alone(done):
    """The first order has no trace, and its nine lines are found by its id all the same."""
    trace_id, _ = done.ids
    assert done.pages[0].startswith(f"NO TRACE  9 lines have the id {trace_id}\n")
    assert [lines_of(done, name, trace_id)[0] for name in SERVICES] == [[], [], []]


def test_one_flip_of_one_file_is_seen_by_all(done):
    """Each of the three says in its log that the flag was switched on, by whom and why."""
    for name in SERVICES:
        log = (done.directory / "logs" / f"{name}.log").read_text()
        (said,) = [line for line in log.splitlines() if ": on until" in line]
        assert "three services" in said


def test_the_tree_is_shown(done):
    """Who called whom is drawn as it was, across a queue too, by the ids of spans."""
    page = done.pages[1]
    shop, stock = re.findall(r"^(?:shop|stock) +http://(\S+)$", done.out, re.MULTILINE)
    assert page.startswith("OK  5 calls by 4 services  ")
    labels = re.findall(r"^((?:[├└│ ] )*\[\d\] .*?) +│", page, re.MULTILINE)
    assert labels == [
        f"[1] customer → {shop} 202",
        f"├ [2] shop → {stock} 200",
        f"├ [3] worker → {stock} 200",
        f"│ └ [4] stock → {shop} 200",
        f"└ [5] worker → {shop} 200",
    ]
    assert "\n  known from the ids of spans\n" in page


def test_the_retry_and_whose_fault_it_was(done):
    """The 503, the sleep that the stock asked for, and the slow reservation are in the output."""
    page = " ".join(done.pages[1].split())
    (second,) = re.findall(r"\[2\] shop OK after 1 retry .*?(?=\[3\] worker)", page)
    assert "sleeping between attempts, as the server's Retry-After asked" in second
    assert "was answered 503" in second
    assert re.search(r"#1 GET 503 .* sleep .* #2 GET 200", second)
    assert "tried again after" in second
    (third,) = re.findall(r"\[3\] worker OK .*?(?=\[4\] stock)", page)
    assert re.search(r"fault: server\. slow, \d+ ms: \d+ ms of it waiting for the", third)


def shape(text):
    """``text`` without what differs from run to run: numbers, ids, bars, places, line breaks."""
    for pattern, instead in (
        (r"│[^│\[\]\n]*│", "│"),
        (r"\b[0-9a-f]{32}\b", "ID"),
        (r"\S*/[^/\s]*three[^/\s]*", "DIR"),
        (r"by [\w.-]+, because", "by NAME, because"),
        (r"\d+(\.\d+)?", "N"),
        (r"\bN (ms|s)\b", "N t"),
        (r"\s+", " "),
    ):
        text = re.sub(pattern, instead, text)
    return text.strip()


def test_the_readme_shows_what_it_prints(done):
    """Each line of output in the README is one that the command prints, but for its numbers."""
    readme = (EXAMPLE / "README.md").read_text()
    (shown,) = re.findall(
        r"```console\n\$ python examples/three_services\n(.*?)```", readme, re.DOTALL
    )
    printed = shape(done.out)
    lines = [line for line in shown.splitlines() if line.strip() not in ("", "…")]
    assert len(lines) > 40
    assert [line for line in lines if shape(line) not in printed] == []


@pytest.mark.parametrize(
    "shown", ["$ cd", "The flag, flipped", "The same order again"], ids=["order", "flag", "again"]
)
def test_ctrl_c_in_the_middle_ends_all(tmp_path, shown):
    """Ctrl-C reaches the command and all services at once: no traceback, nothing left."""
    with example_until(shown, tmp_path) as running:
        os.killpg(running.pid, signal.SIGINT)
        rest = running.stdout.read()
        assert running.wait(30) == 130
    assert processes_in(tmp_path) == []
    assert "Traceback" not in rest
    assert rest.endswith("\nended, and the three services with it\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stays_until_it_is_told_to_end(tmp_path, number):
    """With --stay the three run on; a signal to the command alone, Ctrl-C or kill, ends them too."""
    with example_until("running on, until Ctrl-C", tmp_path, "--stay") as running:
        assert len(processes_in(tmp_path)) == 3
        running.send_signal(number)
        assert running.wait(30) == 130
    assert processes_in(tmp_path) == []


def test_in_a_terminal_no_pager_stops_it(tmp_path):
    """In a terminal, which its pages are too long for, it goes on to its end by itself."""
    leader, follower = os.openpty()
    variables = environment(PAGER="sleep 50", TERM="xterm")
    running = subprocess.Popen(command(tmp_path), env=variables, stdin=follower, stdout=follower)
    os.close(follower)
    try:
        shown = b"".join(iter(lambda: read_terminal(leader), b""))
        assert running.wait(30) == 0
    finally:
        running.kill()
        running.wait()
        os.close(leader)
    assert b"\x1b[1;32mOK  5 calls by 4 services" in shown


def read_terminal(leader):
    """What a process has written to the other end; nothing once all have closed it."""
    try:
        return os.read(leader, 65536)
    except OSError:  # Linux's way to say so
        return b""


def test_killed_it_takes_the_three_along(tmp_path):
    """Where the command had no chance to end them, they notice, and end."""
    with example_until("The flag, flipped", tmp_path) as running:
        running.kill()
        running.wait(30)
        wait_until_none_in(tmp_path)


def below(spans, of):
    """The spans of one trace as (service, kind, name, children), those of a parent in a fixed order."""
    children = [
        (span.service, span.kind, span.name, below(spans, span.span_id))
        for span in spans
        if span.parent_id == of
    ]
    return sorted(children, key=repr)


def call(service, method, *served):
    """A call with its spans: ``served`` is what each request of it led to."""
    sent = [(service, "CLIENT", method, [one]) for one in served]
    return (service, "INTERNAL", "tracedclient.do", sorted(sent, key=repr))


LOOK = ("stock", "SERVER", "GET /items/{item}", [])
UPDATE = ("shop", "SERVER", "PUT /items/<item>/left", [])
RESERVE = ("stock", "SERVER", "POST /items/{item}/reservations", [call("stock", "PUT", UPDATE)])
CHANGE = ("shop", "SERVER", "PUT /orders/<int:number>/state", [])
PACK = (
    "worker",
    "CONSUMER",
    "pack",
    [call("worker", "POST", RESERVE), call("worker", "PUT", CHANGE)],
)
ORDER = ("shop", "SERVER", "POST /orders", [call("shop", "GET", LOOK, LOOK), PACK])
"""The spans of an order, in the shop and what it led to."""


def test_one_trace_by_otlp(tmp_path, collector):
    """All spans of an order are one trace: each call below what it was made for, the job too."""
    run = run_example(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    assert run.status == 0, run.err
    for trace_id in run.ids:
        spans = [span for span in collector.spans if span.trace_id == trace_id]
        assert below(spans, "") == [call("customer", "POST", ORDER)]
        assert [s.error for s in spans if s.error and s.kind == "CLIENT"] == ["503"]
    assert {span.trace_id for span in collector.spans} == set(run.ids)


def test_a_request_that_brings_no_id_has_one_id_all_the_same(tmp_path, collector):
    """What curl sends gets an id that is the same in the answer, the logs, and all spans."""
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with example_until("running on", tmp_path, "--stay", **exporting) as running:
        with requests.post(f"{running.shop}/orders", json={"item": "lamp"}, timeout=30) as answer:
            trace_id = answer.headers["X-Trace-Id"]
        wait_for_line(
            tmp_path / "logs" / "worker.log", f'"packed","order":3,"trace_id":"{trace_id}"'
        )
        running.send_signal(signal.SIGTERM)
        running.wait(30)
    logs = "".join(log.read_text() for log in sorted((tmp_path / "logs").iterdir()))
    mine = [json.loads(line) for line in logs.splitlines() if '"order":3' in line]
    assert {line["trace_id"] for line in mine} == {trace_id}
    spans = [span for span in collector.spans if span.trace_id == trace_id]
    assert below(spans, "") == [ORDER]
    assert len({span.trace_id for span in collector.spans}) == 3
