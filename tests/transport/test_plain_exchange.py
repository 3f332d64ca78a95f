"""An exchange done the short way is what requests, urllib3 and http.client make of it, or is theirs
from the point on where it turned out to be unusual.
"""

from __future__ import annotations

import gzip
import pickle
import socket
import time
import zlib
from contextlib import ExitStack, nullcontext

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st
from servers import ScriptedServer, forward_proxy
from urllib3.util import SKIP_HEADER

from tracedclient import TracedAdapter, TracedSession
from tracedclient.httptrace import ClientTrace, client_trace
from tracedclient.transport.answer import WholeResponse
from tracedclient.transport.plain import plain_request
from tracedclient.transport.pool import POOL_CLASSES

BLANK = b"\r\n\r\n"


class Long(TracedAdapter):
    """An adapter of somebody else's making: it takes no short cuts."""


class Script:
    """A server that answers each request with ``pieces``, and closes or does not."""

    def __init__(self):
        self.pieces = [b""]
        self.closes = False
        self.received = []

    def __call__(self, peer):
        while data := read_request(peer.socket):
            self.received.append((peer.number, data))
            for piece in self.pieces:
                peer.socket.sendall(piece)
            if self.closes:
                return


def read_request(sock):
    data = b""
    while BLANK not in data:
        more = sock.recv(65536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(BLANK)
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(length[0].split(b":")[1]) - len(body) if length else 0
    while missing > 0:
        more = sock.recv(missing)
        missing -= len(more)
        data += more
    return data


@pytest.fixture(scope="module")
def script():
    return Script()


@pytest.fixture(scope="module")
def url(script):
    with ScriptedServer(script) as server:
        yield f"{server.url}/orders/1"


@pytest.fixture
def sessions():
    """Two sessions alike, of which the second takes no short cuts."""
    with ExitStack() as stack:
        short, long = (stack.enter_context(TracedSession()) for _ in range(2))
        long.mount("http://", Long())
        yield short, long


def outcome(session, script, url, **request):
    """What came of two requests in a row: the answers or errors, and what the server got.

    Of one, where the server closes: whether the next one finds that out in time is a matter of luck.
    """
    script.received.clear()
    told = []
    for _ in range(1 if script.closes else 2):
        try:
            response = session.request(**{"method": "GET", **request}, url=url, timeout=5)
        except requests.RequestException as error:
            told.append((type(error), str(error).partition("object at")[0]))
        else:
            told.append(seen(response))
    first = script.received[0][0] if script.received else 0
    told.append([told_of(cookie) for cookie in session.cookies])
    # Which of the session's connections, and what came over it.
    return told, [(number - first, data) for number, data in script.received]


def seen(response):
    return (
        response.status_code,
        response.reason,
        list(response.headers.items()),
        response.encoding,
        response.content,
        response.url,
        [told_of(cookie) for cookie in response.cookies],
        [hop.status_code for hop in response.history],
        response.raw.status,
        list(response.raw.headers.items()),
        response.raw.version,
        response.raw.reason,
        response.raw.read(),
        response.request.body,
        list(response.request.headers.items()),
        response.is_redirect,
        response.elapsed.total_seconds() > 0,
    )


def told_of(cookie):
    lifetime = cookie.expires and round((cookie.expires - time.time()) / 10)
    return cookie.name, cookie.value, cookie.domain, cookie.path, lifetime


STATUS_LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 500 ",
        b"HTTP/1.1 204 No Content",
        b"HTTP/1.1 304 Not Modified",
        b"HTTP/1.0 200 OK",
        b"HTTP/1.1 103 Early Hints",
        b"HTTP/1.1 2 x",
        b"garbage",
    ]
)
FIELDS = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 5",
            b"Content-Length: 5",
            b"Content-Length: 0",
            b"Content-Length: 9",
            b"Content-Type: application/json",
            b"Content-Type: text/plain; charset=latin-1",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: chunked",
            b"Content-Encoding: gzip",
            b"Content-Encoding: deflate",
            b"Connection: close",
            b"Connection: keep-alive",
            b"Keep-Alive: timeout=1",
            b"Set-Cookie: a=b; Path=/",
            b"Set-Cookie: c=d",
            b"Set-Cookie: e=f; Max-Age=60",
            b"Set-Cookie: g=h; Domain=other.test",
            b"Set-Cookie2: i=j",
            b"Location: /other",
            b"Vary: a",
            b"vary: b",
            b"X: \xe4",
            b" folded",
            b"no colon",
        ]
    ),
    max_size=4,
)
ZIPPED = gzip.compress(b"hello" * 9, mtime=0)


def in_chunks(body, size=7):
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


BODIES = st.sampled_from(
    [
        b"",
        b"hello",
        b"hello, more than said",
        b"5\r\nhello\r\n0\r\n\r\n",
        b"hel",
        in_chunks(b"hello, in chunks"),
        in_chunks(ZIPPED),
        in_chunks(zlib.compress(b"hello")),
        in_chunks(ZIPPED[:-3]),
        in_chunks(ZIPPED + ZIPPED),
        in_chunks(b"not compressed"),
        b"5;name=value\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\r\nmore",
        b"5\r\nhello\r\n",
        b"5\r\nhello, more\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"x\r\n",
        b"\r\n",
    ]
)


@settings(max_examples=300)
@given(st.data(), STATUS_LINES, FIELDS, BODIES, st.sampled_from(["GET", "HEAD", "POST"]))
def test_every_answer_is_taken_alike(script, url, sessions_of, data, status, fields, body, method):
    """Whatever the server sends, in whatever pieces, the response or the error is the same, on the
    same connection, for the same bytes.
    """
    answer = b"\r\n".join([status, *fields, b"", b""]) + body
    cut = data.draw(st.integers(0, len(answer)), label="cut")
    script.pieces = [piece for piece in (answer[:cut], answer[cut:]) if piece]
    # What is not complete must end, or both would wait for their timeout.
    script.closes = True
    request = {"method": method, "data": b"body" if method == "POST" else None}

    with sessions_of() as (short, long):
        assert outcome(short, script, url, **request) == outcome(long, script, url, **request)


@pytest.fixture(scope="module")
def sessions_of():
    class Both(ExitStack):
        def __enter__(self):
            super().__enter__()
            short, long = (self.enter_context(TracedSession()) for _ in range(2))
            long.mount("http://", Long())
            return short, long

    return Both


KEPT = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    + in_chunks(ZIPPED),
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
    % (len(ZIPPED), ZIPPED),
    b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Max-Age=60\r\nContent-Length: 2\r\n\r\nhi",
]


@pytest.mark.parametrize("answer", KEPT)
def test_connection_is_kept_alike(script, url, sessions, answer):
    """A complete answer leaves the connection for the next request, whichever way it came."""
    script.pieces, script.closes = [answer], False
    short, long = (outcome(session, script, url) for session in sessions)
    assert short == long
    assert [number for number, _ in short[1]] == [0, 0]


CLOSED = [
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 204 No Content\r\nconnection: Close\r\n\r\n",
]


@pytest.mark.parametrize("answer", CLOSED)
def test_connection_is_closed_alike(script, url, sessions, answer):
    """After an answer with ``Connection: close`` the next request opens a connection, even where the
    server has left the old one open.
    """
    script.pieces, script.closes = [answer], False
    short, long = (outcome(session, script, url) for session in sessions)
    assert short == long
    assert [number for number, _ in short[1]] == [0, 1]
    assert isinstance(sessions[0].get(url, timeout=5), WholeResponse)


@settings(max_examples=150)
@given(
    headers=st.dictionaries(
        st.sampled_from(["X-A", "Host", "User-Agent", "accept", "Content-Type", "Connection"]),
        st.one_of(
            st.sampled_from(["a", "keep-alive", "ä", "", "a\tb"]),
            st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x00"), max_size=3),
            st.binary(max_size=3).filter(lambda value: not value.strip(b"abc")),
        ),
        max_size=3,
    ),
    path=st.one_of(st.just("/a"), st.text(max_size=4).map(lambda text: f"/{text}")),
    params=st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]),
    data=st.one_of(st.none(), st.binary(max_size=4), st.text(max_size=3)),
    json=st.one_of(st.none(), st.dictionaries(st.text(max_size=1), st.integers(), max_size=1)),
)
@example({}, "/a%2fb", {}, "GET", None, None)
@example({}, "/./a/../b", {}, "GET", None, None)
def test_every_request_is_sent_alike(
    script, url, sessions_of, headers, path, params, method, data, json
):
    """Whatever is asked for, the same bytes go on the wire, or the same error is raised."""
    script.pieces, script.closes = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], False
    target = url.removesuffix("/orders/1") + path
    request = {"headers": headers, "params": params, "method": method, "data": data, "json": json}

    with sessions_of() as (short, long):
        assert outcome(short, script, target, **request) == outcome(long, script, target, **request)


@pytest.mark.parametrize("name", ["User-Agent", "Accept-Encoding", "Host"])
def test_a_field_that_is_to_be_left_out_is(script, url, sessions, name):
    """``urllib3.util.SKIP_HEADER`` for a value keeps urllib3's own fields from the wire."""
    script.pieces, script.closes = [KEPT[0]], False
    short, long = (
        outcome(session, script, url, headers={name: SKIP_HEADER}) for session in sessions
    )
    assert short == long
    assert all(SKIP_HEADER.encode() not in data for _, data in short[1])


@pytest.mark.parametrize(
    ("address", "host", "named"),
    [
        ("::1", "[::1]", "[::1]"),
        ("::1", "[0::1]", "[0::1]"),
        ("127.0.0.1", "h.test.", "h.test"),
        ("127.0.0.1", "H.test", "h.test"),
    ],
)
def test_every_host_is_named_alike(start, sessions, resolver, script, address, host, named):
    """Each way names the host as RFC 9110 has it: an IPv6 address in brackets, a name without the
    dot at its end.
    """
    server = start(ScriptedServer(script, host=address))
    resolver["h.test"] = resolver["h.test."] = [address]
    script.pieces, script.closes = [KEPT[0]], False
    short, long = (
        outcome(session, script, f"http://{host}:{server.port}/") for session in sessions
    )
    assert short == long
    assert f"\r\nHost: {named}:{server.port}\r\n".encode() in short[1][0][1]


def test_the_port_that_all_expect_is_not_named():
    """``Host`` has no port where it is the scheme's own, behind an IPv6 address neither."""
    hosts = [("http", "::1", 80), ("https", "[fe80::1%25lo]", 443), ("https", "h.test", 80)]
    request = requests.Request("GET", "http://h.test/").prepare()
    lines = []
    for scheme, host, port in hosts:
        pool = POOL_CLASSES[scheme](host, port)
        head = plain_request(request, None, pool, None).head
        lines.append(head.split(b"\r\n")[1])
    assert lines == [b"Host: [::1]", b"Host: [fe80::1]", b"Host: h.test:80"]


@settings(max_examples=150)
@given(
    st.sampled_from(
        ["h.test", "h.test:8080", "h.test:80", "H.test", "10.0.0.1", "[::1]", "u:p@h.test"]
    ),
    st.one_of(
        st.sampled_from(
            ["", "/", "/a/b?q=1", "/?", "/a;", "/a;b=c", "/a/../b", "/a%2fb", "/a%7Eb", "/#f"]
        ),
        st.text(max_size=4).map(lambda text: f"/{text}"),
    ),
    st.sampled_from(["", "user:secret@"]),
    st.sampled_from(["GET", "POST"]),
    st.sampled_from([{}, {"Host": "other"}, {"Accept": "b"}]),
)
def test_every_request_to_a_proxy_is_sent_alike(
    script, url, sessions_of, host, path, login, method, headers
):
    """Whatever is asked of a proxy, the same bytes go on the wire, or the same error is raised."""
    script.pieces, script.closes = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], False
    proxy = url.removesuffix("/orders/1").replace("//", f"//{login}")
    request = {"method": method, "headers": headers, "proxies": {"http": proxy}}

    with sessions_of() as (short, long):
        ways = [outcome(s, script, f"http://{host}{path}", **request) for s in (short, long)]
    assert ways[0] == ways[1]


def test_usual_request_to_a_proxy_takes_the_short_way(script, url, sessions):
    """A forward proxy is no reason to take the long way."""
    script.pieces, script.closes = [KEPT[0]], False
    proxies = {"http": url.removesuffix("/orders/1")}
    answer = sessions[0].get("http://h.test/a", timeout=5, proxies=proxies)
    assert isinstance(answer, WholeResponse)
    assert script.received[-1][1].startswith(b"GET http://h.test/a HTTP/1.1\r\nHost: h.test\r\n")


@pytest.mark.parametrize("size", [2, 20_000])
@pytest.mark.parametrize("traced", [False, True])
def test_what_follows_an_answer_answers_no_other(
    start, server_context, ca_file, sessions, size, traced
):
    """More than was announced, in the same TLS record, is not taken for the next request's answer:
    there it lies where no look at the socket would find it.
    """
    body, forged = b"-" * size, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"

    def handler(peer):
        for answer in (body + forged, body):
            if not read_request(peer.socket):
                return
            peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            peer.socket.sendall(answer)

    server = start(ScriptedServer(handler, tls=server_context("localhost")))
    sessions[1].mount("https://", Long())
    for session in sessions:
        session.verify = ca_file
        with client_trace(ClientTrace()) if traced else nullcontext():
            answers = [
                session.get(f"https://localhost:{server.port}/", timeout=5).content
                for _ in range(2)
            ]
        assert answers == [body, body]


@pytest.mark.parametrize("streams", [False, True])
def test_what_tls_holds_back_answers_no_other(start, server_context, ca_file, streams):
    """What follows an answer and does not fit into a reader's buffer is not the next one either: a
    connection of which TLS holds decrypted bytes is used no more.
    """
    # The buffer's 256 KiB end within the last record.
    sizes = [100, *[16384] * 15, 16000]
    forged = b" " * 284 + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"

    def handler(peer):
        while read_request(peer.socket):
            peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % sum(sizes))
            for size in sizes[:-1]:
                peer.socket.sendall(b"-" * size)
            peer.socket.sendall(b"-" * sizes[-1] + forged)

    server = start(ScriptedServer(handler, tls=server_context("localhost")))
    url = f"https://localhost:{server.port}/"
    with TracedSession() as session:
        session.verify = ca_file
        with session.get(url, timeout=5, stream=True) as first:
            assert len(first.raw.read(sum(sizes))) == sum(sizes)
        second = session.get(url, timeout=5, stream=streams)
        assert len(second.content) == sum(sizes)
    assert server.connections == 2


@pytest.mark.skipif(not hasattr(socket, "TCP_CORK"), reason="only Linux sends records together")
def test_what_tls_in_tls_holds_back_answers_no_other(start, server_context, ca_file):
    """Nor is what a tunnel through an https proxy has brought, and nobody has decrypted yet."""

    def handler(peer):
        while read_request(peer.socket):
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            for record in (b"good!", b"forged"):
                peer.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(record))
                peer.socket.sendall(record)
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)

    server = start(ScriptedServer(handler, tls=server_context("localhost")))
    proxy = start(forward_proxy(tls=server_context("127.0.0.1")))
    with TracedSession() as session:
        session.verify, session.proxies = ca_file, {"https": proxy.url}
        url = f"https://localhost:{server.port}/"
        answers = [session.get(url, timeout=5).content for _ in range(2)]

    assert answers == [b"good!", b"good!"]


def test_large_body_arrives_in_one_way_or_the_other(script, url, sessions):
    """A body larger than is read in one piece, or sent in one packet, is the same at either end."""
    large = bytes(range(256)) * 8192
    script.pieces, script.closes = (
        [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(large), large],
        False,
    )
    short, long = (outcome(s, script, url, method="PUT", data=large[:300_000]) for s in sessions)
    assert short == long
    assert short[0][0][4] == large


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"Transfer-Encoding: chunked", in_chunks(bytes(range(256)) * 3000, 10_000)),
        (b"Transfer-Encoding: chunked", in_chunks(bytes(range(256)) * 8192, 10_000)),
        (b"Transfer-Encoding: chunked", in_chunks(bytes(range(256)) * 40, 16)),
        (b"Content-Encoding: gzip", gzip.compress(b"0" * 1_000_000, mtime=0)),
        (b"Content-Encoding: gzip", gzip.compress(b"0" * 1_100_000, mtime=0)),
        (b"Content-Encoding: deflate", zlib.compress(b"0" * 1_000)),
        (b"Content-Encoding: deflate", zlib.compress(b"0" * 1_000)[2:-4]),
    ],
)
def test_large_coded_body_arrives_in_one_way_or_the_other(script, url, sessions, fields, body):
    """Chunks and compression are undone alike, however much they come to."""
    length = b"" if b"chunked" in fields else b"Content-Length: %d\r\n" % len(body)
    script.pieces, script.closes = (
        [b"HTTP/1.1 200 OK\r\n%b%b\r\n\r\n" % (length, fields), body],
        False,
    )
    short, long = (outcome(session, script, url) for session in sessions)
    assert short == long
    assert [number for number, _ in short[1]] == [0, 0]


@pytest.mark.parametrize(
    "headers", [b"", b"Set-Cookie: a=b; Max-Age=60\r\n", b"Set-Cookie: a=b\r\n"]
)
def test_answer_can_be_pickled(script, url, sessions, headers):
    """An answer read in one piece is pickled as any other is, with its cookies."""
    answer = b"HTTP/1.1 200 OK\r\n%bContent-Length: 2\r\n\r\nhi" % headers
    script.pieces, script.closes = [answer], False
    again = [pickle.loads(pickle.dumps(s.get(url, timeout=5))) for s in sessions]
    short, long = ((r.content, dict(r.headers), r.cookies.get_dict(), r.ok) for r in again)
    assert short == long


def test_session_of_requests_keeps_the_cookies(script, url):
    """The adapter alone, on requests' own session, leaves the cookies to it."""
    script.pieces = [b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi"]
    script.closes = False
    with requests.Session() as session:
        session.mount("http://", TracedAdapter())
        assert isinstance(session.get(url, timeout=5), WholeResponse)
        assert session.cookies.get_dict() == {"a": "b"}


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"]
)
def test_silence_is_the_same_timeout(start, answer):
    """A server that goes silent, at whichever point, gives the same error after the same time."""

    def handler(peer):
        read_request(peer.socket)
        peer.socket.sendall(answer)
        read_request(peer.socket)

    server = start(ScriptedServer(handler))
    errors = []
    for adapter in (TracedAdapter(), Long()):
        with TracedSession() as session:
            session.mount("http://", adapter)
            with pytest.raises(requests.RequestException) as caught:
                session.get(server.url, timeout=(1, 0.2))
            errors.append((type(caught.value), str(caught.value).partition("object at")[0]))
    assert errors[0] == errors[1]


def test_refused_connection_is_the_same_error():
    """Where nobody listens, requests' own error says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    errors = []
    for adapter in (TracedAdapter(), Long()):
        with TracedSession() as session:
            session.mount("http://", adapter)
            with pytest.raises(requests.ConnectionError) as caught:
                session.get(f"http://127.0.0.1:{port}/", timeout=5)
            errors.append(str(caught.value).partition("object at")[0])
    assert errors[0] == errors[1]


def test_refusing_proxy_is_the_same_error(sessions):
    """Where the proxy does not listen, the error is requests' ``ProxyError``."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        proxies = {"http": f"http://127.0.0.1:{taken.getsockname()[1]}"}
    errors = []
    for session in sessions:
        with pytest.raises(requests.exceptions.ProxyError) as caught:
            session.get("http://h.test/a", timeout=5, proxies=proxies)
        errors.append(str(caught.value).partition("object at")[0])
    assert errors[0] == errors[1]


@pytest.mark.parametrize("answer", [*KEPT[:4], *KEPT[5:7], *KEPT[8:]])
def test_usual_answer_takes_the_short_way(script, url, sessions, answer):
    """Chunks, compression and cookies are no reason to hand an answer on."""
    script.pieces, script.closes = [answer], False
    assert isinstance(sessions[0].get(url, timeout=5), WholeResponse)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_usual_exchange_takes_the_short_way(script, url, sessions, method):
    """What the tests above compare are two ways: the first session's answers are read in one piece."""
    script.pieces, script.closes = [KEPT[0] if method != "HEAD" else KEPT[0][:-5]], False
    short, long = sessions
    assert isinstance(short.request(method, url, timeout=5), WholeResponse)
    assert not isinstance(long.request(method, url, timeout=5), WholeResponse)
