"""The middleware in real frameworks behind real servers."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from websockets.sync.client import connect

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}


def get(service, path, headers=HEADERS):
    return requests.get(f"{service.url}{path}", headers=headers, timeout=30)


def test_one_id_from_the_request_to_the_next_service_and_into_the_log(service):
    """The id comes in, is in the service's line, goes on with its calls, and back in the response."""
    answer = get(service, "/call")
    assert (answer.text, answer.headers["X-Trace-Id"]) == (TRACE, TRACE)
    sent = [request.headers for request in service.upstream.requests]
    assert [head.get("X-Trace-Id") for head in sent] == [TRACE] * 2
    assert [head.get("tracestate") for head in sent] == ["vendor=1"] * 2
    assert len({head.get("traceparent") for head in sent}) == 2
    assert {line["trace_id"] for line in service.lines() if line["event"] == "call"} == {TRACE}


def test_without_an_id_one_is_made(service):
    """A request that brings none gets one, the same in answer, log and calls."""
    answer = get(service, "/call", {"X-Trace-Id": "not good"})
    assert re.fullmatch("[0-9a-f]{32}", answer.text)
    assert answer.headers["X-Trace-Id"] == answer.text
    assert {r.headers.get("X-Trace-Id") for r in service.upstream.requests} == {answer.text}


def test_streamed_body_has_the_id(service):
    """Lines logged while the body is made have the id, and the body comes whole."""
    answer = get(service, "/stream")
    assert answer.text == TRACE * 3
    assert answer.headers["X-Trace-Id"] == TRACE
    assert [line["trace_id"] for line in service.lines() if line["event"] == "stream"] == [
        TRACE
    ] * 3


def test_failure_is_the_frameworks(service, capfd):
    """An exception in a view is a 500 as without the middleware, and the next request is served."""
    assert get(service, "/fail").status_code == 500
    assert get(service, "/call").text == TRACE


def test_framework_logs_its_error_with_the_id(start_service):
    """The traceback that Flask logs for a failed view is found by the id."""
    service = start_service("flask")
    answer = get(service, "/fail")
    assert answer.headers["X-Trace-Id"] == TRACE
    (line,) = [line for line in service.lines() if line["level"] == "error"]
    assert line["trace_id"] == TRACE
    assert "RuntimeError" in line["exc_info"]


def test_requests_at_the_same_time_keep_apart(service):
    """Thirty requests, eight at a time: each answer, and each call, has its request's id."""
    with ThreadPoolExecutor(8) as pool:
        names = [f"order-{n}" for n in range(30)]
        answers = list(pool.map(lambda name: get(service, "/call", {"X-Trace-Id": name}), names))
    assert [answer.text for answer in answers] == names
    sent = [request.headers.get("X-Trace-Id") for request in service.upstream.requests]
    assert sorted(sent) == sorted(names * 2)


def test_websocket_has_one_id_to_its_end(start_service):
    """A WebSocket's messages are logged under its handshake's id, which its client is told."""
    service = start_service("fastapi")
    with connect(f"ws://{service.address}/chat", additional_headers=HEADERS) as socket:
        assert socket.response.headers["X-Trace-Id"] == TRACE
        for text in ("one", "two"):
            socket.send(text)
            assert socket.recv() == f"{text} {TRACE}"
        socket.send("end")
        with pytest.raises(Exception, match="1000"):
            socket.recv()
    chats = [line["trace_id"] for line in service.lines() if line["event"].startswith("chat")]
    assert chats == [TRACE] * 2


def test_websocket_that_is_refused(start_service):
    """A handshake for a path that is not there is refused as without the middleware."""
    service = start_service("fastapi")
    with pytest.raises(Exception, match="403"), connect(f"ws://{service.address}/nowhere"):
        pass
