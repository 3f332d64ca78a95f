"""``serve``, ``echo`` and TLS, driven by plain clients."""

from __future__ import annotations

import ssl
import time

import pytest
import requests
from requests.exceptions import SSLError
from servers import (
    ScriptedServer,
    ask,
    connect,
    echo,
    read_to_end,
    serve,
)

# --- serve and echo ---


def test_keep_alive_and_close(plain_session, echo_server):
    """One connection serves many requests, until either side asks for its end."""
    paths = ["/one", "/two", "/close", "/four"]
    numbers = [
        plain_session.get(echo_server.url + p, timeout=5).json()["connection"] for p in paths
    ]
    assert numbers == [1, 1, 1, 2]
    plain_session.get(echo_server.url, headers={"Connection": "close"}, timeout=5)
    echo_server.wait_until(lambda: echo_server.open_connections == 0)


def test_echo_says_what_was_asked(plain_session, echo_server):
    """Method, target, headers and body come back as they arrived."""
    said = plain_session.put(echo_server.url + "/x?y=%20", data="é".encode(), timeout=5).json()
    assert (said["method"], said["target"], said["body"]) == ("PUT", "/x?y=%20", "é")
    assert ["Content-Length", "2"] in said["headers"]
    said = plain_session.put(echo_server.url, data=iter([b"\xff", b"\xfe"]), timeout=5).json()
    assert said["body_base64"] == "//4="


def test_echo_routes(plain_session, echo_server):
    """Each route answers in its own way."""

    def get(path):
        return plain_session.get(echo_server.url + path, timeout=5)

    assert get("/status/503").status_code == 503
    assert get("/gzip").headers["Content-Encoding"] == "gzip"
    assert get("/gzip").json()["target"] == "/gzip"
    assert get("/bytes/70000").content == b"x" * 70000
    assert get("/chunked/3").content == b"chunk 0\nchunk 1\nchunk 2\n"
    assert get("/chunked/3").headers["Transfer-Encoding"] == "chunked"
    assert [r.status_code for r in get("/redirect-chain/3").history] == [302] * 3
    moved = get("/redirect?to=/status/404&code=308")
    assert (moved.status_code, moved.history[0].status_code) == (404, 308)
    get("/set-cookie?a=1&b=2")
    assert plain_session.cookies.get_dict() == {"a": "1", "b": "2"}
    assert echo_server.connections == 1


def test_answers_without_a_body_have_none(echo_server):
    """HEAD, 204 and 304 end with the head, and 204 has no Content-Length (RFC 9110 §8.6)."""
    asked = ["HEAD /bytes/9", "HEAD /chunked/9", "GET /status/204", "GET /status/304", "GET /close"]
    came = ask(echo_server, "".join(f"{each} HTTP/1.1\r\n\r\n" for each in asked).encode())
    *bare, full = came.split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in bare] == [b"200", b"200", b"204", b"304"]
    assert [answer[-4:] for answer in bare] == [b"\r\n\r\n"] * 4
    assert [b"Content-Length" in answer for answer in bare] == [True, False, False, True]
    assert b'"target": "/close"' in full


def test_slow_waits_first(plain_session, echo_server):
    """``/slow`` keeps the client waiting for the first byte as long as it was told."""
    with pytest.raises(requests.ReadTimeout):
        plain_session.get(echo_server.url + "/slow?ms=9000", timeout=0.05)
    began = time.monotonic()
    assert plain_session.get(echo_server.url + "/slow?ms=60", timeout=5).ok
    assert time.monotonic() - began >= 0.06


def test_expect_100_continue(echo_server):
    """``serve`` sends its 100 before it reads the body."""
    with connect(echo_server) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
            b"Connection: close\r\n\r\n"
        )
        assert client.recv(99) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ok")
        assert b'"body": "ok"' in read_to_end(client)


def test_an_app_may_answer_with_a_tuple(plain_session):
    """(status, headers, body) will do."""
    with serve(lambda request: (418, {"X-A": "b"}, b"short")) as server:
        response = plain_session.get(server.url, timeout=5)
    assert (response.status_code, response.reason) == (418, "I'm a Teapot")
    assert (response.headers["X-A"], response.content) == ("b", b"short")


# --- TLS ---


def test_tls_that_verifies(plain_session, server_context, ca_file):
    """A client that trusts the CA is served under each of the certificate's names."""
    with serve(echo, tls=server_context("localhost", "127.0.0.1")) as server:
        assert plain_session.get(server.url, verify=ca_file, timeout=5).ok
        assert plain_session.get(f"https://localhost:{server.port}", verify=ca_file, timeout=5).ok
    assert server.url.startswith("https://127.0.0.1:")


@pytest.mark.parametrize(
    ("kind", "name"), [("server_context", "wrong.example"), ("expired_context", "127.0.0.1")]
)
def test_tls_that_does_not(plain_session, request, ca_file, kind, name):
    """The wrong name and the past date are each what the client complains of."""
    context = request.getfixturevalue(kind)(name)
    reason = "certificate has expired" if kind == "expired_context" else "mismatch"
    with serve(echo, tls=context) as server, pytest.raises(SSLError, match=reason):
        plain_session.get(server.url, verify=ca_file, timeout=5)
    assert server.journal == []


def test_an_unknown_authority(plain_session, server_context):
    """No one trusts the CA who was not told to."""
    context = server_context("127.0.0.1")
    untrusted = pytest.raises(SSLError, match="unable to get local issuer")
    with serve(echo, tls=context) as server, untrusted:
        plain_session.get(server.url, timeout=5)


def test_client_certificates(plain_session, mutual_context, ca_file, client_certificate):
    """Who shows a certificate is served, who does not is refused."""
    with serve(echo, tls=mutual_context("127.0.0.1")) as server:
        with pytest.raises(requests.ConnectionError):
            plain_session.get(server.url, verify=ca_file, timeout=5)
        response = plain_session.get(server.url, verify=ca_file, cert=client_certificate, timeout=5)
    assert response.ok


def test_tls_ends_with_a_close_notify(server_context, ca_file):
    """A closed TLS connection is not a truncated one (RFC 8446 §6.1)."""
    context = ssl.create_default_context(cafile=ca_file)
    with ScriptedServer(lambda peer: peer.send(b"bye"), tls=server_context("a.test")) as server:
        client = context.wrap_socket(
            connect(server), server_hostname="a.test", suppress_ragged_eofs=False
        )
        with client:
            assert read_to_end(client) == b"bye"
