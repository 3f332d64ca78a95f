"""The log line, from a request to the file: one per call, found by its id, free of secrets."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import logging.config
import urllib.parse

import pytest
import requests
import servers
import structlog

from tracedclient import HTTPClient, RetryPolicy, Timeout, logging_config, recorder
from tracedclient.trace.schema import MAX_LINE, from_json

CANARY = "c4n4ry"


@pytest.fixture
def log(tmp_path):
    """The path of a log file that traces are written to, as an application would set it up."""
    path = tmp_path / "app.log"
    loggers = [logging.getLogger(name) for name in ("tracedclient.trace", "tracedclient")]
    before = [(x, x.handlers[:], x.level, x.propagate) for x in loggers]
    logging.config.dictConfig(logging_config(filename=path))
    yield path
    for logger, handlers, level, propagate in before:
        for handler in logger.handlers:
            handler.close()
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


@pytest.fixture
def client(log):
    with HTTPClient(
        service="orders", debug=True, retry=RetryPolicy(max_attempts=1), timeout=Timeout(1, 1, 3)
    ) as client:
        yield client


def grep(path, text):
    """What ``grep -F`` finds."""
    return [line for line in path.read_text().splitlines() if text in line]


def test_grep_finds_exactly_the_lines_of_a_request(client, log, echo_server):
    """Searching the log for a trace id finds its line and no other, whatever became of the call."""
    for number in range(5):
        client.get(echo_server.url, trace_id=f"ok-{number}")
    with pytest.raises(requests.ConnectionError):
        client.get("http://nowhere.invalid/", trace_id="bad-1")

    assert len(log.read_text().splitlines()) == 6
    (line,) = grep(log, "ok-3")
    record = json.loads(line)
    assert record["trace_id"] == "ok-3"
    assert record["event"] == "http.client.trace"
    assert (record["level"], record["service_name"]) == ("info", "orders")
    (bad,) = map(json.loads, grep(log, "bad-1"))
    assert (bad["level"], bad["outcome"], bad["verdict_culprit"]) == ("warning", "dns_error", "dns")


def test_a_line_is_read_back_as_the_trace_it_was(client, log, echo_server):
    """The line is the record: decoding it gives the value that was on the response."""
    trace = client.get(f"{echo_server.url}/redirect-chain/1").trace

    assert from_json(log.read_text()) == trace


def test_the_applications_context_rides_along(client, log, echo_server):
    """What the application bound in structlog's context is in the line; names that clash harm nothing."""
    with structlog.contextvars.bound_contextvars(
        user="u-1", name="clash", message="clash", trace_id="not-this"
    ):
        client.get(echo_server.url, trace_id="t-1")

    record = json.loads(log.read_text())
    assert record["user"] == "u-1"
    assert record["trace_id"] == "t-1"
    assert "name" not in record


def test_the_line_has_a_limit(client, log, echo_server, resolver):
    """A call with very many exchanges still is one line within the limit, and says what was cut."""
    client.session.max_redirects = 100

    client.get(f"{echo_server.url}/redirect-chain/60", timeout=Timeout(total=30))

    line = log.read_text()
    record = json.loads(line)
    assert len(line.encode()) <= MAX_LINE
    assert record["truncated"] is True
    assert record["redirect_count"] == 60


def test_no_secret_is_ever_written(client, log, start, caplog, capfd):
    """A canary in every place a credential can stand is found in no line, verdict or error text."""
    caplog.set_level(logging.DEBUG, logger="tracedclient")
    quoted = urllib.parse.quote(CANARY + "/&")
    proxy = start(servers.forward_proxy(credentials=("user", CANARY)))
    server = start(servers.serve(servers.echo))
    reset = start(servers.ScriptedServer(lambda peer: (peer.read_request(), peer.reset())))
    redirect = start(
        servers.serve(lambda _: (302, [("Location", f"/?token={CANARY}")], b""), expected=OSError)
    )
    client.session.max_redirects = 2
    user = f"http://user:{CANARY}@"
    calls = [
        {"url": f"{server.url}/?token={CANARY}&sig={quoted}#{CANARY}"},
        {"url": server.url.replace("http://", user)},
        {"url": reset.url.replace("http://", user) + f"/?password={CANARY}"},
        {"url": f"http://nowhere.invalid/?{CANARY}"},
        {"url": f"{user}nowhere.invalid:1/?api_key={CANARY}"},
        {"url": redirect.url},
        {"url": f"http://[::1/?x={CANARY}"},
        {"url": f"ftp://user:{CANARY}@host/"},
        {"url": server.url, "headers": {"Authorization": f"Bearer {CANARY}"}},
        {"url": server.url, "headers": {"X-Api-Key": f"{CANARY}\n"}},
        {"url": server.url, "headers": {"Cookie": f"session={CANARY}"}},
        {"url": server.url, "cookies": {"session": CANARY}},
        {"url": server.url, "auth": ("user", CANARY)},
        {"url": server.url, "data": CANARY},
        {"url": server.url, "proxies": {"http": proxy.url.replace("http://", user)}},
        {"url": server.url, "proxies": {"http": f"{user}127.0.0.1:1"}},
        {"url": "https://127.0.0.1:1/", "proxies": {"https": f"{user}127.0.0.1:1"}},
        {"url": f"{server.url}/set-cookie?session={CANARY}"},
        {"url": server.url, "idempotency_key": CANARY},
    ]
    for number, call in enumerate(calls):
        with contextlib.suppress(requests.RequestException):
            client.post(trace_id=f"call-{number}", **call)

    written = log.read_text()
    assert len(written.splitlines()) == len(calls)
    encoded = base64.b64encode(f"user:{CANARY}".encode()).decode()
    for place in (written, caplog.text, *capfd.readouterr()):
        assert CANARY not in place
        assert encoded not in place


def test_errors_carry_no_secret_in_their_note(client, echo_server):
    """The note below a traceback is as free of secrets as the line."""
    with pytest.raises(requests.ConnectionError) as caught:
        client.get(f"http://user:{CANARY}@nowhere.invalid/?t={CANARY}")

    assert CANARY not in "".join(getattr(caught.value, "__notes__", []))
    assert CANARY not in repr(caught.value.trace)


def test_a_handler_that_raises_harms_nothing(client, log, echo_server):
    """When the application's own handler fails, the request has its answer all the same."""

    class Broken(logging.Handler):
        def emit(self, record):
            raise RuntimeError("broken handler")

    handler = Broken()
    logging.getLogger("tracedclient.trace").addHandler(handler)
    try:
        assert client.get(echo_server.url).status_code == 200
    finally:
        logging.getLogger("tracedclient.trace").removeHandler(handler)


@pytest.fixture
def alone(log):
    """``alone()`` leaves the log's file the only handler: pytest adds its own as each test begins."""

    def leave():
        logger = logging.getLogger("tracedclient.trace")
        logger.handlers = [each for each in logger.handlers if _writes(each, log)]
        return logger

    return leave


def _writes(handler, path):
    return getattr(handler, "baseFilename", None) == str(path)


def test_a_usual_call_has_a_line_of_bounded_length_too(log, alone, echo_server):
    """However long a name the service has, no line has more than ``MAX_LINE`` bytes."""
    alone()
    with HTTPClient(service="é" * 9_000, debug=True) as client:
        for _ in range(4):
            client.get(f"{echo_server.url}/")
    lines = log.read_bytes().splitlines(keepends=True)
    assert len(lines) == 4
    assert max(map(len, lines)) <= MAX_LINE
    assert all(json.loads(line)["truncated"] for line in lines)


class Broken(logging.StreamHandler):
    """A handler of the application's that cannot even be asked what it takes."""

    @property
    def level(self):
        raise RuntimeError("this handler is broken")

    @level.setter
    def level(self, level):
        pass


def test_a_broken_handler_harms_no_usual_call(client, alone, echo_server, caplog):
    """What the application's own handlers raise is complained of, and every call has its answer."""
    logger = alone()
    client.get(f"{echo_server.url}/")
    logger.addHandler(Broken())
    assert [client.get(f"{echo_server.url}/").status_code for _ in range(3)] == [200, 200, 200]
    assert "this handler is broken" in caplog.text


@pytest.mark.parametrize("host", ["127.0.0.1", "one.test"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_line_of_a_new_connection_says_what_its_trace_says(
    scheme, host, log, alone, start, server_context, ca_file, resolver
):
    """Of calls that open a connection each, every line is the trace, step for step, and the first one's
    is learnt from.
    """
    alone()
    # Those of other tests may fill it.
    recorder._lines._texts.clear()
    resolver["one.test"] = ["127.0.0.1"]
    tls = server_context("one.test", "127.0.0.1") if scheme == "https" else None
    server = start(servers.serve(lambda _: servers.Answer(body=b"x", close=True), tls=tls))
    opening = ["dns_start", "dns_done"] if host == "one.test" else []
    opening += ["connect_start", "connect_done"]
    opening += ["tls_handshake_start", "tls_handshake_done"] if tls else []
    with HTTPClient(debug=True, verify=ca_file) as client:
        url = f"{scheme}://{host}:{server.port}/"
        answers = [client.get(url) for _ in range(4)]
    assert recorder._lines.shapes > 0
    lines = log.read_text().splitlines()
    assert [from_json(line) for line in lines] == [answer.trace for answer in answers]
    for answer in answers:
        exchange = answer.trace.attempts[0].exchanges[0]
        hooks = [event.event for event in exchange.events]
        assert hooks[: len(opening) + 3] == ["exchange_start", "get_conn", *opening, "got_conn"]
        assert [tried.error for tried in exchange.connects] == [None]
        assert bool(answer.trace.tls_ms) == bool(tls)
