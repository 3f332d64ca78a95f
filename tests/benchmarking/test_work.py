"""All rows do the same work, or the benchmark says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import answers, parts
from benchmarks.measure import Plan, measure
from benchmarks.peers import DO_OFF, HTTP_CLIENT, RAW
from benchmarks.results import Results
from benchmarks.run import run_scenarios
from benchmarks.sameness import check_request
from benchmarks.scenarios import scenario
from benchmarks.workers import Worker

SMALL = Plan(starts=1, blocks=2, scale=0.01)


def seen(head, body=""):
    """What the server tells of a request."""
    return {"head": head.replace("\n", "\r\n"), "body": body}


def check(name, head, body="", **job):
    """Check a request of a scenario at ``http://h:1``."""
    one = scenario(name)
    wanted = replace(one.job, url=f"http://h:1{one.job.url}", **job)
    check_request("row", one, wanted, seen(head, body))


def test_rows_are_measured_in_turn(bench):
    """Each row has a cost for each block; the raw socket costs less than http.client."""
    measured = measure(scenario("get"), bench, SMALL, [RAW, HTTP_CLIENT])

    assert {name: len(costs) for name, costs in measured.costs.items()} == {
        RAW: 2,
        HTTP_CLIENT: 2,
    }
    assert all(cost.cpu > 0 and cost.wall > 0 for cost in measured.costs[RAW])


def test_the_segments_of_a_small_post_are_counted(bench):
    """http.client sends head and body apart; HTTPClient and the raw socket do not."""
    rows = [DO_OFF, HTTP_CLIENT, RAW]
    measured = measure(scenario("post"), bench, SMALL, rows)

    assert measured.segments == {DO_OFF: 1, HTTP_CLIENT: 2, RAW: 1}


@pytest.mark.parametrize(("path", "wanted"), [("/orders/4711", 1), (answers.CLOSE_PATH, 0)])
def test_a_row_with_other_connections_than_it_should_have_is_refused(bench, path, wanted):
    """A row that opens a connection for each request is not taken for one that keeps it."""
    get = scenario("get")
    wrong = replace(get, connections=wanted, job=replace(get.job, url=path))

    with pytest.raises(RuntimeError, match=rf"http.client: get: opened {1 - wanted} connections"):
        measure(wrong, bench, SMALL, [HTTP_CLIENT])


def test_an_answer_of_another_size_is_refused(bench):
    """An error page is not taken for the answer."""
    get = scenario("get")
    wrong = replace(get, job=replace(get.job, size=59))

    with pytest.raises(RuntimeError, match="had 58 bytes, not 59"):
        measure(wrong, bench, SMALL, [HTTP_CLIENT])


def test_a_worker_that_died_is_an_error(bench, capfd):
    """A row that cannot be opened ends the run; its own error is on stderr."""
    job = replace(bench.job(scenario("get"), bench.server), url="http://127.0.0.1:1/")

    with Worker(HTTP_CLIENT) as worker, pytest.raises(RuntimeError, match="its process ended"):
        worker.open(job)
    assert "ConnectionRefusedError" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["tls", "tls-new", "download", "upload", "urls"])
def test_our_own_server_serves_each_kind_of_request(bench, name):
    """TLS, large bodies in both directions, and unseen URLs are measured as they are checked."""
    measured = measure(scenario(name), bench, SMALL, [HTTP_CLIENT])

    assert len(measured.costs[HTTP_CLIENT]) == 2


def test_the_right_requests_pass():
    """What each scenario asks for is accepted."""
    check("get", "GET /orders/4711 HTTP/1.1\nHost: h:1")
    check("urls", "GET /orders/4711/1/items/31?page=1 HTTP/1.1\nHost: h:1")
    check("cookies", "GET /cookies HTTP/1.1\nHost: h:1\nCookie: session=1; basket=2")
    check("proxy", "GET http://h:1/orders/4711 HTTP/1.1\nHost: h:1")


@pytest.mark.parametrize(
    ("name", "head", "problem"),
    [
        ("get", "HEAD /orders/4711 HTTP/1.1\nHost: h:1", "the request is"),
        ("get", "GET / HTTP/1.1\nHost: h:1", "the request is"),
        ("get", "GET /orders/4711 HTTP/1.1\nHost: other", "host is 'other'"),
        ("get", "GET /orders/4711 HTTP/1.1\nHost: h:1\nCookie: a=1", "cookies were sent"),
        ("cookies", "GET /cookies HTTP/1.1\nHost: h:1", "the cookies sent are"),
        ("headers", "GET /large-headers HTTP/1.1\nHost: h:1", "x-request-00 is None"),
        ("proxy", "GET /orders/4711 HTTP/1.1\nHost: h:1", "the request is"),
        ("upload", "POST /upload HTTP/1.1\nHost: h:1", "content-length is None"),
    ],
)
def test_another_request_is_refused(name, head, problem):
    """A row that leaves out part of the work is not measured."""
    with pytest.raises(RuntimeError, match=problem):
        check(name, head)


def test_another_payload_is_refused():
    """JSON is compared as JSON: spaces may differ, values may not."""
    head = "POST /orders/4711 HTTP/1.1\nHost: h:1"
    check("post", head, '{"a":1}', payload={"a": 1})

    with pytest.raises(RuntimeError, match="the JSON that was sent is another"):
        check("post", head, '{"a": 2}', payload={"a": 1})


def test_a_part_has_a_title():
    """The page heads what a part printed with what the module says that it measures."""
    assert (
        parts.title("starting")
        == "What importing costs, each time in a process that has nothing loaded"
    )
    assert parts.title("profile") == "Where the CPU time of a request goes, as flame graphs"


def test_a_scenario_that_fails_leaves_the_others(bench, capsys):
    """What one row does wrong is said, and does not throw away what the others took so long for."""
    get = scenario("get")
    wrong = replace(get, name="wrong", job=replace(get.job, size=59))
    results = Results()

    rows = {"wrong": [RAW], "get": [RAW]}
    run_scenarios([wrong, get], bench, SMALL, results, rows)

    assert list(results.scenarios) == ["get"]
    assert "had 58 bytes, not 59" in results.failed["wrong"]
    assert "had 58 bytes, not 59" in capsys.readouterr().err
