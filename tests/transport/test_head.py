"""Heads read and written the short way are those of http.client and urllib3, or left to them."""

from __future__ import annotations

import http.client
import socket

import pytest
import urllib3
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tracedclient.transport.head import request_head, response_head

# --- requests -----------------------------------------------------------------------------------

NAMES = st.one_of(
    st.sampled_from(
        ["Host", "accept-encoding", "User-Agent", "Content-Length", "X-A", "Connection", "Expect"]
    ),
    st.text(st.characters(codec="latin-1"), max_size=4),
)
VALUES = st.one_of(
    st.sampled_from(
        [
            *("keep-alive", "close", "", "0", "gzip, deflate", "a\tb", " a", "a ", "a\r\nB: c"),
            urllib3.util.SKIP_HEADER,
        ]
    ),
    st.text(st.characters(codec="latin-1"), max_size=6),
    st.text(max_size=2),
)
TARGETS = st.one_of(
    st.sampled_from(["/", "/a%2fb", "/a%2Fb?c=d", "/ä", "/a b", "//a", "/?", "/a#b", "*", "/a|b"]),
    st.text(max_size=6).map(lambda text: f"/{text}"),
)


class _Recorder(socket.socket):
    """A socket that keeps what is sent on it."""

    def __init__(self):
        super().__init__()
        self.sent = b""

    def sendall(self, data, *_):
        self.sent += data


def written_by_urllib3(host, port, method, target, headers, body):
    """What http.client and urllib3 send, or the error they raise instead."""
    conn = urllib3.connection.HTTPConnection(host, port)
    with _Recorder() as sock:
        conn.sock = sock
        try:
            # As its pool does.
            if target.startswith("/"):
                target = urllib3.util.url._encode_target(target)
            conn.request(method, target, body=body, headers=headers)
        except (ValueError, TypeError, UnicodeError, http.client.HTTPException) as error:
            return error
        return sock.sent


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "G ET", ""]),
    target=TARGETS,
    headers=st.dictionaries(NAMES, VALUES, max_size=5),
    body=st.one_of(st.none(), st.binary(max_size=5)),
    port=st.sampled_from([80, 8080]),
)
@example("GET", "/", {"X-A": "1", "Host": "other"}, None, 80)
@example("POST", "/", {}, None, 80)
@example("POST", "/", {"Content-Length": "3"}, b"abc", 8080)
@example("GET", "/", {"X-A": "a\r\n", "X-B": ""}, None, 80)
@example("GET", "/", {"User-Agent": urllib3.util.SKIP_HEADER}, None, 80)
@example("GET", "/", {"X-A": urllib3.util.SKIP_HEADER}, None, 80)
def test_request_head_is_what_urllib3_sends(method, target, headers, body, port):
    """The bytes are those that http.client and urllib3 put on the wire, or there are none."""
    host = "h.test" if port == 80 else "h.test:8080"
    ours = request_head(method, target, host, CaseInsensitiveDict(headers), body)
    if ours is not None:
        fields = CaseInsensitiveDict(headers)
        theirs = written_by_urllib3("h.test", port, method, target, fields, body)
        assert ours + (body or b"") == theirs


@pytest.mark.parametrize("value", ["1", "text/plain; q=0.5", "Bearer abc.def", ""])
def test_usual_request_takes_the_short_way(value):
    """What a service usually sends is not left to the others."""
    assert request_head("GET", "/a/b?c=d", "h", CaseInsensitiveDict({"X-A": value}), None)


# --- answers ------------------------------------------------------------------------------------

STATUS_LINES = st.one_of(
    st.sampled_from(
        [
            "HTTP/1.1 200 OK",
            "HTTP/1.1 404 Not Found",
            "HTTP/1.1 204 No Content",
            "HTTP/1.1 304 Not Modified",
            "HTTP/1.1 302 Found",
            "HTTP/1.1 200",
            "HTTP/1.1 200 ",
            "HTTP/1.1  200 OK",
            "HTTP/1.1 200  two  blanks ",
            "HTTP/1.1 103 Early Hints",
            "HTTP/1.0 200 OK",
            "HTTP/1.1 600 X",
            "HTTP/1.1 2000 X",
            "HTTP/2 200",
            "ICY 200 OK",
            "",
        ]
    ),
    st.text(st.characters(codec="latin-1"), max_size=20),
)
FIELDS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "Content-Length: 5",
                "content-length:5",
                "Content-Length: +5",
                "Content-Length: 5, 5",
                "Content-Length: -1",
                "Content-Length:",
                "Transfer-Encoding: chunked",
                "transfer-encoding: Chunked",
                "Transfer-Encoding: gzip, chunked",
                "Connection: keep-alive",
                "Connection: Keep-Alive",
                "Connection: close",
                "Connection: upgrade",
                "Keep-Alive: timeout=5",
                "Set-Cookie: a=b",
                "Content-Encoding: gzip",
                "Location: /x",
                "X-A: 1",
                "X-A: 2",
                "x-a:   3  ",
                "X-A : 4",
                "X-Tab:\tv\t",
                " folded",
                "\tfolded",
                "no colon",
                ": no name",
                "X-Uml: ä",
                "X-Nul: \x00",
                "X-CR: a\rb",
                "X-NEL: a\x85b",
                "X-FF: a\x0cb",
            ]
        ),
        st.text(st.characters(codec="latin-1"), max_size=8),
    ),
    max_size=5,
)


class _Incoming:
    """A socket from which ``data`` comes, and then the end."""

    def __init__(self, data):
        self._data = data

    def makefile(self, _mode):
        import io

        return io.BufferedReader(io.BytesIO(self._data))


def read_by_http_client(data, method):
    response = http.client.HTTPResponse(_Incoming(data), method=method)
    try:
        response.begin()
    except http.client.HTTPException as error:
        return error
    return response


@given(
    STATUS_LINES,
    FIELDS,
    st.sampled_from(["GET", "HEAD"]),
    st.sampled_from(["\r\n", "\r\n", "\n"]),
    st.binary(max_size=8),
)
@example("HTTP/1.1 200 OK", ["Content-Length: 5"], "GET", "\r\n", b"abcde")
@example("HTTP/1.1 200 OK", ["Content-Length: 5"], "HEAD", "\r\n", b"")
@example("HTTP/1.1 2000 X", ["Content-Length: 5"], "GET", "\r\n", b"")
@example("HTTP/1.1 200", ["Content-Length: 5"], "GET", "\r\n", b"")
def test_response_head_is_what_http_client_reads(status_line, fields, method, end, body):
    """Status, reason, fields, the body's length and whether the connection is kept are http.client's,
    or it is left to read the head itself.
    """
    data = end.join([status_line, *fields, "", ""]).encode("latin-1") + body
    ours = response_head(data, to_head=method == "HEAD")
    if ours is None:
        return
    theirs = read_by_http_client(data, method)
    assert (ours.status, ours.reason) == (theirs.status, theirs.reason)
    assert theirs.version == 11
    assert list(ours.fields) == theirs.msg.items()
    assert not theirs.msg.defects
    assert (ours.length, ours.length is None) == (theirs.length, bool(theirs.chunked))
    assert ours.closes == theirs.will_close
    assert ours.size == len(data) - len(theirs.fp.read() if theirs.fp else body)
    assert ours.keep_alive == theirs.headers.get("keep-alive")
    assert ours.sets_cookies == ("set-cookie" in theirs.headers)
    assert (ours.coding or "") == theirs.headers.get("content-encoding", "").lower()


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Length: 5"],
        ["content-length:0", "X-A: b"],
        ["Transfer-Encoding: chunked"],
        ["Content-Length: 5", "Connection: close"],
        ["Content-Length: 5", "Content-Encoding: gzip"],
        ["Content-Length: 5", "Set-Cookie: a=b", "Set-Cookie: c=d"],
    ],
)
def test_usual_answer_takes_the_short_way(fields):
    """What a service usually answers is not left to the others."""
    data = "\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode()
    assert response_head(data, to_head=False)


def test_too_many_headers_are_left_to_http_client():
    """A head with more headers than http.client would take is for it to refuse."""
    lines = ["HTTP/1.1 200 OK", "Content-Length: 0", *(f"X-{n}: 1" for n in range(200)), "", ""]
    assert response_head("\r\n".join(lines).encode(), to_head=False) is None
