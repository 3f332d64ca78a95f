"""Request bodies: bytes, text, files, generators, forms, multipart; sent right, counted, replayed."""

from __future__ import annotations

import io
import json

import pytest
import requests
import servers

BODY = b"0123456789" * 1000


def failing_first(times, status=503):
    """An application that answers ``status`` so many times before it answers 200."""
    left = [times]

    def app(request):
        left[0] -= 1
        return (status if left[0] >= 0 else 200, [], b"")

    return app


@pytest.mark.parametrize(
    "data",
    [BODY, BODY.decode(), io.BytesIO(BODY), iter([BODY[:5000], BODY[5000:]]), [("a", "b")]],
    ids=["bytes", "str", "file", "generator", "form"],
)
def test_every_kind_of_body_arrives(client, start, data):
    """Bytes, text, files, generators and forms arrive as they were given."""
    server = start(servers.serve(servers.echo))

    trace = client.post(server.url, data=data).trace

    expected = b"a=b" if isinstance(data, list) else BODY
    assert server.requests[0].body == expected
    assert trace.attempts[0].exchanges[0].bytes_sent > len(expected)


def test_multipart_arrives(client, start):
    """A multipart upload arrives with its file."""
    server = start(servers.serve(servers.echo))

    client.post(server.url, files={"f": ("name.bin", io.BytesIO(BODY))})

    assert BODY in server.requests[0].body
    assert "multipart/form-data" in server.requests[0].headers.get("Content-Type")


def test_json_arrives(client, start):
    """``json=`` is sent as requests does."""
    server = start(servers.serve(servers.echo))

    client.post(server.url, json={"a": 1})

    assert json.loads(server.requests[0].body) == {"a": 1}


def test_a_file_is_replayed_from_where_it_stood(client, start):
    """Every attempt sends the same bytes of a file, from the position it had."""
    server = start(servers.serve(failing_first(2)))
    body = io.BytesIO(BODY)
    body.seek(100)

    assert client.put(server.url, data=body).status_code == 200

    assert [request.body for request in server.requests] == [BODY[100:]] * 3


def test_a_generator_is_sent_once(client, start):
    """A body that cannot be replayed is never sent again, empty, as if it were whole."""
    server = start(servers.serve(failing_first(2)))

    response = client.put(server.url, data=iter([BODY]))

    assert response.status_code == 503
    assert [request.body for request in server.requests] == [BODY]
    assert response.trace.attempts[0].reason == "body not replayable"


def test_a_file_that_cannot_be_rewound_is_sent_once(client, start):
    """A file without seek counts as sent."""

    class Pipe(io.BytesIO):
        def seek(self, *_):
            raise OSError("not seekable")

    server = start(servers.serve(failing_first(2)))

    assert client.put(server.url, data=Pipe(BODY)).status_code == 503
    assert len(server.requests) == 1


def test_an_early_answer_to_an_upload_is_delivered(client, start):
    """A server that refuses a large upload half way is heard, not reported as a broken pipe."""

    def refuse(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        peer.drain()

    server = start(servers.ScriptedServer(refuse))

    response = client.put(server.url, data=b"x" * 3_000_000)

    assert response.status_code == 413
    assert response.trace.verdict_culprit == "client"


def test_a_prepared_request_is_left_as_it_was(client, start):
    """``do`` takes a PreparedRequest, and does not write its own headers into the caller's."""
    server = start(servers.serve(servers.echo))
    prepared = requests.Request("POST", server.url, data=b"x").prepare()
    headers = dict(prepared.headers)

    client.do(prepared, trace_id="t-1")

    assert dict(prepared.headers) == headers
    assert server.requests[0].headers.get("X-Trace-Id") == "t-1"


class Read(io.BytesIO):
    """A file that notes how much was asked for at once."""

    def __init__(self, data, *, seekable=True):
        super().__init__(data)
        self.asked, self._seekable = set(), seekable

    def read(self, size=-1):
        self.asked.add(size)
        return super().read(size)

    def tell(self):
        return super().tell() if self._seekable else self._refuse()

    def seek(self, *args):
        return super().seek(*args) if self._seekable else self._refuse()

    def getvalue(self):
        return super().getvalue() if self._seekable else self._refuse()

    def _refuse(self):
        raise io.UnsupportedOperation("a pipe")


@pytest.mark.parametrize("is_file", [True, False])
def test_a_file_is_read_in_large_blocks(client, start, is_file):
    """A file whose length is known is read and sent 128 KiB at a time; what has no length may be
    somebody's live output, and is sent in urllib3's 16 KiB, on a connection that sent a file too."""
    server = start(servers.serve(servers.echo))
    client.post(server.url, data=io.BytesIO(BODY))
    body = Read(BODY * 20, seekable=is_file)

    client.post(server.url, data=body)

    assert server.requests[1].body == BODY * 20
    assert body.asked == {131_072 if is_file else 16_384}
