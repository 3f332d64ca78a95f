"""Chunks put together and compression undone come to what urllib3 makes of them, or are left to it."""

from __future__ import annotations

import gzip
import http.client
import io
import zlib

import pytest
import urllib3
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tracedclient.transport.content import Chunks, Unplain, decoded

MOST = 100


class Open(io.BufferedReader):
    """Can be read on by who asks what is left."""

    def close(self):
        pass


class Incoming:
    """A socket from which ``data`` comes, and then the end."""

    def __init__(self, data):
        self.reader = Open(io.BytesIO(data))

    def makefile(self, _mode):
        return self.reader


def by_urllib3(headers, body):
    """The content, and what is left of ``body`` behind it; or the error."""
    sock = Incoming(f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode() + body)
    wire = http.client.HTTPResponse(sock, method="GET")
    wire.begin()
    answer = urllib3.HTTPResponse(
        wire, headers=wire.msg.items(), preload_content=False, original_response=wire
    )
    try:
        return b"".join(answer.stream(64)), sock.reader.read()
    except urllib3.exceptions.HTTPError as error:
        return type(error)


SIZES = st.sampled_from(
    [b"0", b"1", b"5", b"05", b"A", b"0a", b"", b"+5", b"5;a=b", b" 5", b"-1", b"g"]
)
PIECES = st.one_of(
    SIZES,
    st.sampled_from([b"\r\n", b"\r\n", b"\n", b"\r"]),
    st.binary(max_size=11),
    st.sampled_from(
        [b"5\r\nhello\r\n", b"a\r\n0123456789\r\n", b"0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n"]
    ),
)


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=6).map(b"".join), st.integers(1, 12))
@example(b"5\r\nhello\r\n0\r\n\r\n", 1)
@example(b"5\r\nhello\r\n0\r\n\r\n", 12)
@example(b"5\r\nhelloX\n0\r\n\r\n", 3)
def test_chunks_are_what_urllib3_reads(body, step):
    """However a chunked body is broken into reads, its content and its end are urllib3's, or it is left
    to urllib3.
    """
    chunks = Chunks(3, MOST)
    for end in range(0, len(body) + step, step):
        try:
            content = chunks.take(b"123" + body[:end])
        except Unplain:
            return
        if content is not None:
            # What comes later is another answer's, or nobody's.
            assert by_urllib3("Transfer-Encoding: chunked", body) == (content, body[end:])
            return


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=4), st.integers(1, 9))
def test_usual_chunks_are_put_together(parts, step):
    """A usual chunked body is taken, whole, with the read that brings its end and not before."""
    body = b"".join(b"%X\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
    chunks = Chunks(0, MOST)
    for end in range(0, len(body), step):
        assert chunks.take(body[:end]) is None
    assert chunks.take(body) == b"".join(parts)


def test_more_than_it_may_be_is_left_to_urllib3():
    """A body larger than the limit is not collected."""
    chunks = Chunks(0, 7)
    assert chunks.take(b"5\r\nhello\r\n") is None
    with pytest.raises(Unplain):
        chunks.take(b"5\r\nhello\r\n3\r\n")


@given(
    st.binary(max_size=200),
    st.sampled_from(["gzip", "x-gzip", "deflate"]),
    st.sampled_from([gzip.compress, zlib.compress, lambda data: zlib.compress(data)[2:-4], bytes]),
    st.sampled_from([b"", b"\0", b"more", gzip.compress(b"second", mtime=0)]),
    st.integers(-4, 0),
)
def test_decoded_is_what_urllib3_decodes(content, coding, compress, behind, cut):
    """What is undone is what urllib3 makes of it, however it ends, or it is left to urllib3."""
    body = compress(content)
    body = body[: len(body) + cut] + behind
    try:
        ours = decoded(body, coding, MOST)
    except Unplain:
        return
    theirs = by_urllib3(f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}", body)
    assert theirs == (ours, b"")
    assert len(ours) <= MOST


@pytest.mark.parametrize(
    ("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_usual_compression_is_undone(coding, compress):
    """What servers usually send is not left to urllib3, up to the limit."""
    assert decoded(compress(b"hello" * 20), coding, MOST) == b"hello" * 20
    with pytest.raises(Unplain):
        decoded(compress(b"hello" * 20 + b"!"), coding, MOST)
