"""``tracedclient.stat``: one call, its trace, and no exception for what a network can do."""

from __future__ import annotations

import re

import pytest
import requests
import servers
from urllib3.exceptions import InsecureRequestWarning

import tracedclient
from tracedclient.measure import whole_call


def test_an_answer_gives_a_trace(echo_server):
    """The trace of the one request that was made, whatever the status."""
    result = tracedclient.stat(f"{echo_server.url}/status/404")
    assert isinstance(result, tracedclient.TraceResult)
    assert (result.outcome, result.http_response_status_code) == ("http_error", 404)
    assert result.wait_ms is not None
    assert len(echo_server.requests) == 1


def test_the_request_is_the_callers(echo_server):
    """Method, headers and body go out as they were given."""
    tracedclient.stat(echo_server.url, method="PUT", headers={"X-A": "b"}, data=b"body")
    (request,) = echo_server.requests
    assert (request.method, request.headers.get("X-A"), request.body) == ("PUT", "b", b"body")


def test_redirects_are_followed_only_when_asked(echo_server):
    """As with ``tracedclient stat``: a redirect is the answer, or a hop."""
    url = f"{echo_server.url}/redirect-chain/1"
    assert tracedclient.stat(url).http_response_status_code == 302
    followed = tracedclient.stat(url, allow_redirects=True)
    assert (followed.http_response_status_code, followed.redirect_count) == (200, 1)


def test_a_refused_connection_is_an_outcome():
    """What failed raises nothing: the trace says what, and in which phase."""
    result = tracedclient.stat(f"http://127.0.0.1:{servers.refused_port()}/")
    assert (result.outcome, result.error_phase) == ("connect_error", "connect")
    assert result.attempt_count == 1


def test_a_refused_certificate_is_an_outcome(server_context, ca_file, start):
    """An authority that nobody knows is a TLS error; with its file the same server is well."""
    server = start(servers.serve(servers.echo, tls=server_context("127.0.0.1")))
    assert tracedclient.stat(server.url).outcome == "tls_error"
    assert tracedclient.stat(server.url, verify=ca_file).outcome == "ok"
    with pytest.warns(InsecureRequestWarning):
        unchecked = tracedclient.stat(server.url, verify=False)
    assert unchecked.attempts[0].exchanges[0].tls[0].verified is False


def test_a_body_that_breaks_off_is_an_outcome(start):
    """How much had come is in the trace."""

    def cut(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    result = tracedclient.stat(start(servers.ScriptedServer(cut)).url)
    assert (result.outcome, result.error_phase) == ("read_error", "receive")


def test_a_redirect_to_nowhere_is_an_outcome(echo_server):
    """A Location that is no URL is the server's doing, not an argument of the caller's."""
    url = f"{echo_server.url}/redirect?to=ftp://nowhere/"
    result = tracedclient.stat(url, allow_redirects=True)
    assert result.error_type == "InvalidSchema"


def test_the_timeout_is_the_whole_calls(start):
    """A server that does not answer costs no more than ``timeout`` seconds."""
    result = tracedclient.stat(start(servers.hanging_server()).url, timeout=0.1)
    assert result.outcome == "timeout"
    assert 90 < result.duration_ms < 3000


def test_a_proxy_of_the_environment_is_used(start, monkeypatch, echo_server):
    """Where there is a proxy, the way through it is what is measured."""
    proxy = start(servers.forward_proxy())
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    result = tracedclient.stat(echo_server.url)
    assert result.attempts[0].exchanges[0].proxy.url == proxy.url
    assert len(proxy.requests) == 1


def test_nothing_is_logged(echo_server, caplog):
    """The trace is returned, and goes to no log."""
    with caplog.at_level("DEBUG", "tracedclient"):
        tracedclient.stat(echo_server.url)
    assert caplog.records == []


def test_no_socket_is_left(echo_server, open_descriptors):
    """The connection that was measured is closed."""
    tracedclient.stat(echo_server.url)
    echo_server.wait_until(lambda: echo_server.open_connections == 0)
    before = open_descriptors()
    tracedclient.stat(echo_server.url)
    echo_server.wait_until(lambda: echo_server.open_connections == 0)
    assert open_descriptors() == before


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"url": 3}, TypeError, "url must be a str, not int"),
        ({"url": "nonsense"}, ValueError, "Invalid URL 'nonsense'"),
        ({"url": "ftp://127.0.0.1/"}, ValueError, "ftp://127.0.0.1/"),
        ({"method": "G ET"}, ValueError, "request.method must be an HTTP token"),
        ({"headers": 5}, TypeError, "headers must be a mapping of names to values, not 5"),
        ({"headers": {"a b": "c"}}, ValueError, "a header's name must be an HTTP token"),
        ({"data": 3}, TypeError, "request.data must be bytes"),
        ({"timeout": 0}, ValueError, "total must be greater than 0"),
        ({"timeout": None}, TypeError, "timeout must be a number of seconds, not None"),
        ({"verify": "/no/such.pem"}, ValueError, "verify: there is no file '/no/such.pem'"),
    ],
)
def test_an_argument_that_cannot_be_meant_is_refused(arguments, error, message):
    """A mistake in the call is an exception that names the argument, and nothing is sent."""
    given = {"url": "http://127.0.0.1:1/", **arguments}
    with pytest.raises(error, match=re.escape(message)):
        tracedclient.stat(given.pop("url"), **given)


def test_a_dead_address_leaves_time_for_the_next():
    """The limit for one address is shorter than that for the call, unless that is short itself."""
    assert (whole_call(10).connect, whole_call(10).read, whole_call(10).total) == (3.0, 10, 10)
    assert whole_call(0.5).connect == 0.5


def test_an_interrupt_is_no_outcome(start):
    """Ctrl-C ends the program's work, not the measurement alone."""

    def body():
        raise KeyboardInterrupt
        yield b""

    server = start(servers.serve(servers.echo))
    with pytest.raises(KeyboardInterrupt):
        tracedclient.stat(server.url, method="POST", data=body())


def test_its_errors_are_those_of_requests():
    """What ``stat`` refuses is what ``requests`` refuses, with its exceptions."""
    with pytest.raises(requests.exceptions.InvalidHeader):
        tracedclient.stat("http://127.0.0.1:1/", headers={"X": "a\nb"})
