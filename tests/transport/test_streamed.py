"""A streamed body read the short way is what urllib3 and http.client make of it."""

from __future__ import annotations

import gzip
import io
import socket
import struct
import zlib

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st
from journal import Journal
from servers import ScriptedServer

from tracedclient import TracedSession
from tracedclient.httptrace import client_trace
from tracedclient.transport import streamed
from tracedclient.transport.answer import TracedResponse

BODY = bytes(range(256)) * 300


class Script:
    """A server that answers each request with ``pieces``, and closes or does not."""

    def __init__(self):
        self.pieces = [b""]
        self.closes = False

    def __call__(self, peer):
        while b"\r\n\r\n" in (peer.socket.recv(65536) or b""):
            # Before the client has the answer, and the next one is set.
            closes = self.closes
            for piece in self.pieces:
                peer.socket.sendall(piece)
            if closes:
                return


@pytest.fixture(scope="module")
def script():
    return Script()


@pytest.fixture(scope="module")
def url(script):
    with ScriptedServer(script) as server:
        yield f"{server.url}/orders/1"


@pytest.fixture(scope="module")
def session():
    with TracedSession() as session:
        yield session


def short_way(response, size):
    return response.iter_content(size)


def long_way(response, size):
    return requests.Response.iter_content(response, size)


def state(response):
    raw = response.raw
    return raw.tell(), raw.length_remaining, raw.isclosed(), raw.connection is None


def known(chunk):
    """Shorter to be shown, and as good to compare."""
    return len(chunk), zlib.crc32(chunk)


def outcome(session, url, way, plan, *, watched):
    """Each chunk with what the response says of itself then, and how it ended."""
    told, journal = [], Journal()
    with client_trace(*([journal] if watched else [])):
        response = session.request(plan["method"], url, stream=True, timeout=5)
    with response:
        try:
            for number, chunk in enumerate(way(response, plan["size"])):
                told.append((known(chunk), state(response)))
                if number == plan["between"]:
                    told.append((known(response.raw.read(3)), state(response)))
                if number == plan["leaves"]:
                    break
            told.append(state(response))
            told.append([known(chunk) for chunk in way(response, plan["size"])])
        except Exception as error:  # noqa: BLE001 - who reads `raw` in between meets urllib3's bugs
            told.append((type(error), str(error), state(response)))
    # Whether the connection was there already depends on what came before.
    return told, journal.hooks[journal.hooks.index("wrote_request") :] if watched else None


def head(*fields, status=b"200 OK", version=b"1.1"):
    lines = (b"HTTP/%s %s" % (version, status), *fields)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def sized(length):
    return b"Content-Length: %d" % length


def in_chunks(body):
    parts = [body[at : at + 5000] for at in range(0, len(body), 5000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


ANSWERS = {
    "usual": lambda body, _: (head(sized(len(body))), body, False),
    "last": lambda body, _: (head(sized(len(body)), b"Connection: close"), body, True),
    "1.0": lambda body, _: (head(sized(len(body)), version=b"1.0"), body, True),
    "cut off": lambda body, missing: (head(sized(len(body) + missing)), body, True),
    "chunked": lambda body, _: (head(CHUNKED), in_chunks(body), False),
    "chunked, cut off": lambda body, missing: (head(CHUNKED), in_chunks(body)[:-missing], True),
    "until the end": lambda body, _: (head(), body, True),
    "gzip": lambda body, _: (head(sized(len(packed(body))), GZIP), packed(body), False),
    "identity": lambda body, _: (head(sized(len(body)), IDENTITY), body, False),
    "none": lambda *_: (head(status=b"204 No Content"), b"", False),
}
CHUNKED, GZIP = b"Transfer-Encoding: chunked", b"Content-Encoding: gzip"
IDENTITY = b"Content-Encoding: identity"


def packed(body):
    return gzip.compress(body, mtime=0)


PLANS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "GET", "GET", "POST"]),
        "size": st.sampled_from([1000, 4096, 10_240, 65_536, 100_000, None]),
        "between": st.sampled_from([None, None, 0, 1]),
        "leaves": st.sampled_from([None, None, None, 0, 2]),
    }
)
USUAL = {"method": "GET", "size": 4096, "between": None, "leaves": None}


@settings(deadline=None)
@given(
    st.sampled_from(list(ANSWERS)), st.integers(0, 70_000), st.integers(1, 9), PLANS, st.booleans()
)
@example("usual", 70_000, 1, USUAL, True)
@example("cut off", 5000, 4000, USUAL, True)
@example("cut off", 5000, 4000, USUAL, False)
def test_every_body_is_read_alike(script, url, session, kind, length, missing, plan, watched):
    """Chunks, what the response says after each, errors and hooks are those of urllib3's own way."""
    start, body, script.closes = ANSWERS[kind](BODY[:length], missing)
    script.pieces = [start, body[:3000], body[3000:]]

    told = [outcome(session, url, way, plan, watched=watched) for way in (short_way, long_way)]

    assert told[0] == told[1]


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("sent", [0, 5000, 200_000])
def test_silence_and_reset_are_the_same_error(start, sent, reset):
    """A body that stops, or whose connection is reset, ends with the same error either way."""

    def handler(peer):
        peer.socket.recv(65536)
        peer.socket.sendall(head(sized(300_000)) + bytes(sent))
        if reset:
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            peer.socket.recv(1)

    server = start(ScriptedServer(handler))
    told = [error_of(server.url, way, 5 if reset else 0.2) for way in (short_way, long_way)]

    # How much of what was sent a reset leaves to be read is a matter of luck.
    parts = 1 if reset else 3
    assert told[0][:parts] == told[1][:parts]


def error_of(url, way, patience):
    with TracedSession() as session:
        response = session.get(url, stream=True, timeout=(5, patience))
        with response, pytest.raises(requests.RequestException) as caught:
            list(way(response, 65_536))
        return type(caught.value), _stable(str(caught.value)), state(response)


def _stable(text):
    return text.partition("object at")[0]


def chunks_of(response, size=4096):
    return list(streamed.plain_chunks(response.raw, size))


def test_a_usual_body_takes_the_short_way(script, url, session):
    """What is compared above are two ways: a body of known length comes whole by the short one."""
    script.pieces, script.closes = [head(sized(9000)), BODY[:9000]], False
    with session.get(url, stream=True) as response:
        assert [len(chunk) for chunk in chunks_of(response)] == [4096, 4096, 808]
        assert response.raw.connection is None


@pytest.mark.parametrize("size", [0, -1, True, 10.5, None])
def test_an_unusual_size_is_requests_to_judge(script, url, session, size):
    """A chunk size that is no positive int is left to requests and urllib3."""
    script.pieces, script.closes = [head(sized(9)), BODY[:9]], False
    with session.get(url, stream=True) as response:
        assert chunks_of(response, size) == []


def test_a_body_that_was_begun_is_urllib3s(script, url, session):
    """What somebody has begun to read from ``raw`` goes on there."""
    script.pieces, script.closes = [head(sized(9000)), BODY[:9000]], False
    with session.get(url, stream=True) as response:
        assert response.raw.read(3) == BODY[:3]
        assert chunks_of(response) == []
        assert b"".join(response.iter_content(4096)) == BODY[3:9000]


def test_what_somebody_has_wrapped_is_his_to_read(script, url, session, monkeypatch):
    """A replaced ``read``, of one body or of all, and a replaced file see every byte."""
    script.pieces, script.closes = [head(sized(9000)), BODY[:9000]], False
    with session.get(url, stream=True) as response:
        response.raw.read = response.raw.read
        assert chunks_of(response) == []
    with session.get(url, stream=True) as response:
        response.raw._fp = io.BytesIO(b"other")
        assert chunks_of(response) == []
    monkeypatch.setattr(type(response.raw), "read", lambda *_, **__: b"")
    with session.get(url, stream=True) as response:
        assert chunks_of(response) == []


def test_a_body_that_was_read_can_be_had_again(script, url, session):
    """``iter_content`` after ``content`` gives slices of it, and text is decoded, as in requests."""
    script.pieces = [head(sized(6), b"Content-Type: text/plain; charset=utf-8"), b"\xc3\xa4bcde"]
    with session.get(url, stream=True) as response:
        assert isinstance(response, TracedResponse)
        assert response.content == b"\xc3\xa4bcde"
        assert list(response.iter_content(4)) == [b"\xc3\xa4bc", b"de"]
    with session.get(url, stream=True) as response:
        assert "".join(response.iter_content(1, decode_unicode=True)) == "äbcde"
