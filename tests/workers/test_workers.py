"""The examples for Celery and RQ, run by their own workers on a real broker."""

from __future__ import annotations

import importlib
import sys
import threading

import pytest
import rq
import servers

from tracedclient.inbound import received_trace, trace_context
from workers.conftest import EXAMPLES

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}


@pytest.fixture
def example(monkeypatch, broker):
    """``example("celery_tasks")``: that module, as the one who queues imports it."""
    monkeypatch.setenv("BROKER", broker)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    loaded = []

    def load(name):
        loaded.append(importlib.import_module(name))
        return loaded[-1]

    yield load
    for module in loaded:
        module.client.close()
        del sys.modules[module.__name__]


class Upstream:
    """What the tasks fetch; it can be waited for."""

    def __init__(self, statuses):
        self._statuses = iter(statuses)
        self._come = threading.Semaphore(0)

    def __call__(self, request):
        self._come.release()
        return servers.Answer(next(self._statuses, 200))

    def wait_for(self, count):
        assert all(self._come.acquire(timeout=40) for _ in range(count))


@pytest.fixture
def upstream(start):
    """``upstream([503])``: a server that answers so, and then with 200."""

    def run(statuses=()):
        app = Upstream(statuses)
        server = start(servers.serve(app))
        server.wait_for = app.wait_for
        return server

    return run


# What workers say to each other takes seconds at the start and at the end.
_ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")
CELERY = ("celery", "--app", "celery_tasks", "worker", "--concurrency", "2", *_ALONE)


def test_celery_task_belongs_to_the_trace_that_queued_it(
    example, worker, wait_until_accepted, upstream
):
    """The task's calls and lines, and those of tasks it queues, have the id of the request."""
    server = upstream()
    tasks = example("celery_tasks")
    with worker(*CELERY) as lines:
        with received_trace(HEADERS):
            tasks.fetch_all.delay([f"{server.url}/a", f"{server.url}/b"])
        server.wait_for(2)
        wait_until_accepted()
    sent = [request.headers for request in server.requests]
    assert {head.get("X-Trace-Id") for head in sent} == {TRACE}
    assert {head.get("tracestate") for head in sent} == {"vendor=1"}
    assert len({head.get("traceparent") for head in sent}) == 2
    mine = [line for line in lines() if line["logger"] == "tasks"]
    assert sorted(line["event"] for line in mine) == ["fetching", "fetching", "queueing"]
    assert {line["trace_id"] for line in mine} == {TRACE}


def test_celery_retry_stays_in_the_trace(example, worker, wait_until_accepted, upstream):
    """A task that is tried again later is of the same trace."""
    server = upstream([503] * 3)  # the client's own three attempts, then Celery's
    tasks = example("celery_tasks")
    with worker(*CELERY):
        with trace_context("order-5"):
            tasks.fetch.delay(server.url)
        server.wait_for(4)
        wait_until_accepted()
    assert [request.headers.get("X-Trace-Id") for request in server.requests] == ["order-5"] * 4


def test_celery_tasks_of_two_traces_keep_apart(example, worker, wait_until_accepted, upstream):
    """One worker process that runs tasks of many traces never mixes them up."""
    server = upstream()
    tasks = example("celery_tasks")
    names = [f"order-{n}" for n in range(10)]
    with worker(*CELERY):
        for name in names:
            with trace_context(name):
                tasks.fetch.delay(f"{server.url}/{name}")
        server.wait_for(10)
        wait_until_accepted()
    seen = {(request.path[1:], request.headers.get("X-Trace-Id")) for request in server.requests}
    assert seen == {(name, name) for name in names}


def test_rq_job_belongs_to_the_trace_that_queued_it(
    example, worker, queue_connection, broker, upstream
):
    """The job's call and line have the id of the request, through the process that RQ forks for it."""
    server = upstream()
    jobs = example("rq_jobs")
    queue = rq.Queue(connection=queue_connection)
    with worker("rq.cli", "worker", "--url", broker) as lines:
        with received_trace(HEADERS):
            jobs.enqueue(queue, f"{server.url}/a")
        server.wait_for(1)
        with trace_context("order-5"):
            jobs.enqueue(queue, f"{server.url}/b")
        server.wait_for(1)
    first, second = (request.headers for request in server.requests)
    assert (first.get("X-Trace-Id"), first.get("tracestate")) == (TRACE, "vendor=1")
    assert (second.get("X-Trace-Id"), second.get("tracestate")) == ("order-5", None)
    mine = [line["trace_id"] for line in lines() if line["logger"] == "jobs"]
    assert mine == [TRACE, "order-5"]
