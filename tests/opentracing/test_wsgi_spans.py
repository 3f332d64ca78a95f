"""The span of a WSGI request: what server and application may do, they may still do."""

from __future__ import annotations

import io
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
import requests
from opentracing_serving import asked_wsgi

from tracedclient.inbound import WSGIMiddleware

BROUGHT = {"ot-tracer-traceid": "2a", "ot-tracer-spanid": "17"}


def wsgi(tracer, app):
    return WSGIMiddleware(app, tracer=tracer)


def environ():
    made = {}
    setup_testing_defaults(made)
    return made


def test_a_streamed_body_is_in_the_span(tracer, spans):
    """The span is in force while a piece is made, not between two, and ends with ``close``."""
    seen = []

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            for piece in (b"one", b"two"):
                seen.append(tracer.active_span)
                yield piece
        finally:
            seen.append(tracer.active_span)

    body = wsgi(tracer, app)(environ(), lambda *_: None)
    between = [tracer.active_span for _ in body]
    assert spans.finished == []
    body.close()

    (span,) = spans.finished
    assert seen == [span] * 3
    assert between == [None, None]
    assert span.tags["http.response_size"] == 6


def test_a_streamed_body_given_up(tracer, spans):
    """A client that goes away ends the span with what was sent; that is no error."""

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"one"
        yield b"two"

    body = wsgi(tracer, app)(environ(), lambda *_: None)
    assert next(body) == b"one"
    body.close()

    (span,) = spans.finished
    assert span.tags["http.response_size"] == 3
    assert "error" not in span.tags


def test_a_streamed_body_that_raises(tracer, spans):
    """An error in the middle of the body goes up; the span is an error, with the status that was sent."""

    def app(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        raise RuntimeError("s3cret in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        asked_wsgi(wsgi(tracer, app))
    (span,) = spans.finished
    assert (span.tags["http.status_code"], span.tags["error"]) == (200, True)
    assert [log.key_values for log in span.logs] == [
        {"event": "error", "error.kind": "RuntimeError", "error.object": "RuntimeError"}
    ]


def test_a_body_whose_close_raises(tracer, spans):
    """What ``close`` raises goes up, and the span is finished."""

    class Body:
        def __iter__(self):
            return iter([b"a"])

        def close(self):
            raise RuntimeError("cannot close")

    def app(environ, start_response):
        start_response("200 OK", [])
        return Body()

    with pytest.raises(RuntimeError, match="cannot close"):
        asked_wsgi(wsgi(tracer, app))
    assert spans.finished[0].tags["error"] is True


def test_a_body_without_close(tracer, spans):
    """An iterator that cannot be closed is closed all the same."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return iter([b"a", b"b"])

    assert asked_wsgi(wsgi(tracer, app)) == (200, b"ab")
    assert spans.finished[0].tags["http.response_size"] == 2


@pytest.mark.parametrize("body", [[b"a", b"b"], (b"a",), []], ids=repr)
def test_a_whole_body_is_handed_on(tracer, spans, body):
    """A list stays a list, of which servers compute Content-Length; the span has ended."""

    def app(environ, start_response):
        start_response("200 OK", [])
        return body

    assert wsgi(tracer, app)(environ(), lambda *_: None) is body
    assert spans.finished[0].tags.get("http.response_size", 0) == len(body)


def test_a_file_is_handed_on_to_the_servers_sendfile(tracer, spans):
    """The server's own file wrapper is recognised by the server only as it is."""
    wrapped = FileWrapper(io.BytesIO(b"x"))

    def app(environ, start_response):
        start_response("200 OK", [])
        return wrapped

    given = {**environ(), "wsgi.file_wrapper": FileWrapper}
    assert wsgi(tracer, app)(given, lambda *_: None) is wrapped
    assert spans.finished[0].tags["http.status_code"] == 200


def test_what_is_written_counts(tracer, spans):
    """``start_response`` gives the server's ``write``, and its bytes are the body's too."""
    written = []

    def app(environ, start_response):
        write = start_response("200 OK", [])
        write(b"123")
        return [b"45"]

    wsgi(tracer, app)(environ(), lambda *_: written.append)
    assert written == [b"123"]
    assert spans.finished[0].tags["http.response_size"] == 5


def test_a_second_start_response(tracer, spans):
    """With ``exc_info`` the second one reaches the server as it was called, and its status counts."""
    calls = []

    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            raise ValueError
        except ValueError:
            start_response("503 Oh", [], sys.exc_info())
        return [b"sorry"]

    def start_response(status, headers, exc_info=None):
        calls.append((status, exc_info and exc_info[0]))

    wsgi(tracer, app)(environ(), start_response)
    assert calls == [("200 OK", None), ("503 Oh", ValueError)]
    assert spans.finished[0].tags["http.status_code"] == 503


@pytest.mark.parametrize("status", ["", "what", None])
def test_a_status_that_is_none(tracer, spans, status):
    """It is the server's to refuse; the span has no status."""

    def app(environ, start_response):
        start_response(status, [])
        return [7]

    assert wsgi(tracer, app)(environ(), lambda *_: None) == [7]
    assert "http.status_code" not in spans.finished[0].tags


def test_an_application_that_says_nothing(tracer, spans):
    """No ``start_response`` is no status: what the client is told then is the server's own 500."""

    def app(environ, start_response):
        return []

    asked_wsgi(wsgi(tracer, app))
    assert "http.status_code" not in spans.finished[0].tags


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def test_a_real_server_with_its_rules(tracer, spans):
    """Between wsgiref's server and an application, both checked by its validator, all is in order."""

    @validator
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return iter([b"o", b"k"])

    service = validator(WSGIMiddleware(app, tracer=tracer))
    with make_server("127.0.0.1", 0, service, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        answer = requests.get(f"http://127.0.0.1:{server.server_port}/x", headers=BROUGHT)
        thread.join()

    assert answer.text == "ok"
    (span,) = spans.finished
    assert (span.context.trace_id, span.tags["http.response_size"]) == (0x2A, 2)
