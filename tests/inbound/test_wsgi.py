"""The WSGI middleware: what an application may do, it may still do."""

from __future__ import annotations

import io
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper
from wsgiref.validate import validator

import pytest
import requests

from inbound.serving import ask_wsgi
from tracedclient.inbound import WSGIMiddleware, current_trace_id

ID = [("X-Trace-Id", "order-5")]


def test_application_that_raises():
    """Its exception goes up as it is, and the id does not stay."""
    error = RuntimeError("no")

    def app(environ, start_response):
        raise error

    with pytest.raises(RuntimeError) as caught:
        ask_wsgi(WSGIMiddleware(app), ID)
    assert caught.value is error
    assert current_trace_id() is None


def test_error_response_has_the_id_too():
    """A second ``start_response`` with ``exc_info`` reaches the server as it was called."""
    calls = []

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            raise ValueError
        except ValueError:
            start_response("500 Oh", [("X-A", "b")], sys.exc_info())
        return [b"sorry"]

    def start_response(status, headers, exc_info=None):
        calls.append((status, headers, exc_info and exc_info[0]))

    assert WSGIMiddleware(app)({"HTTP_X_TRACE_ID": "t"}, start_response) == [b"sorry"]
    assert calls == [
        ("200 OK", [("X-Trace-Id", "t")], None),
        ("500 Oh", [("X-A", "b"), ("X-Trace-Id", "t")], ValueError),
    ]


def test_streamed_body_sees_the_id_and_the_server_does_not():
    """Each piece is made with the id bound; between two pieces, and after them, it is not."""
    seen = []

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            for _ in range(2):
                seen.append(current_trace_id())
                yield b"piece"
        finally:
            seen.append(current_trace_id())

    body = WSGIMiddleware(app)({"HTTP_X_TRACE_ID": "order-5"}, lambda *_: None)
    between = []
    for _ in body:
        between.append(current_trace_id())
    assert seen == ["order-5"] * 3
    assert between == [None, None]


def test_streamed_body_that_is_given_up_is_closed():
    """A client that goes away: ``close`` reaches the application, with the id bound."""
    closed = []

    class Body:
        def __iter__(self):
            return iter([b"a", b"b"])

        def close(self):
            closed.append(current_trace_id())

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body()

    body = WSGIMiddleware(app)({"HTTP_X_TRACE_ID": "order-5"}, lambda *_: None)
    assert next(iter(body)) == b"a"
    body.close()
    assert closed == ["order-5"]
    assert current_trace_id() is None


def test_streamed_body_that_raises():
    """An error in the middle of the body goes up, and leaves no id behind."""

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        ask_wsgi(WSGIMiddleware(app), ID)
    assert current_trace_id() is None


@pytest.mark.parametrize("body", [[b"a", b"b"], (b"a",), []], ids=repr)
def test_whole_body_is_handed_on_as_it_is(body):
    """A list stays a list, of which servers compute Content-Length."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    assert WSGIMiddleware(app)({}, lambda *_: None) is body


def test_file_is_handed_on_to_the_servers_sendfile():
    """The server's own file wrapper is recognised by the server only as it is."""
    wrapped = FileWrapper(io.BytesIO(b"x"))

    def app(environ, start_response):
        start_response("200 OK", [])
        return wrapped

    environ = {"wsgi.file_wrapper": FileWrapper}
    assert WSGIMiddleware(app)(environ, lambda *_: None) is wrapped


def test_application_that_takes_the_socket_over():
    """A WebSocket over WSGI never calls ``start_response``: nothing is added to that."""
    taken = []

    def app(environ, start_response):
        taken.append((environ["socket"], current_trace_id()))
        return []

    answer = ask_wsgi(WSGIMiddleware(app), ID, {"socket": "the socket"})
    assert taken == [("the socket", "order-5")]
    assert (answer.status, answer.headers) == (None, [])


def test_application_that_never_answers():
    """While one request hangs, others are served with their own ids."""
    hangs, release = threading.Event(), threading.Event()
    seen = {}

    def app(environ, start_response):
        if environ["HTTP_X_TRACE_ID"] == "hanging":
            hangs.set()
            release.wait(30)
        seen[environ["HTTP_X_TRACE_ID"]] = current_trace_id()
        start_response("200 OK", [])
        return []

    middleware = WSGIMiddleware(app)
    thread = threading.Thread(target=ask_wsgi, args=(middleware, [("X-Trace-Id", "hanging")]))
    thread.start()
    assert hangs.wait(30)
    ask_wsgi(middleware, [("X-Trace-Id", "other")])
    release.set()
    thread.join(30)
    assert seen == {"hanging": "hanging", "other": "other"}


def test_header_of_the_applications_own_is_replaced():
    """There is one header of that name, and it tells the id that is in the logs."""

    def app(environ, start_response):
        start_response("200 OK", [("x-trace-id", "mine"), ("X-A", "b")])
        return []

    answer = ask_wsgi(WSGIMiddleware(app), ID)
    assert answer.headers == [("x-a", "b"), ("x-trace-id", "order-5")]


def test_application_cannot_alter_the_headers_it_gave_away():
    """The application's list of headers is its own: nothing is added to it."""
    mine = [("X-A", "b")]

    def app(environ, start_response):
        start_response("200 OK", mine)
        return []

    ask_wsgi(WSGIMiddleware(app), ID)
    assert mine == [("X-A", "b")]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def test_it_keeps_to_the_standard():
    """The standard library's validator, on both sides, finds nothing, behind a real server."""

    def streamed(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([current_trace_id().encode()])

    app = validator(WSGIMiddleware(validator(streamed)))
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        answer = requests.get(url, headers=dict(ID), timeout=30)
        thread.join(30)
    assert answer.text == "order-5" == answer.headers["X-Trace-Id"]
