"""The span of a request that is served: whole, in force while it is served, whatever the application does."""

from __future__ import annotations

import asyncio
import contextvars
import io
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
import requests
from opentracing.mocktracer import MockTracer
from opentracing.scope_managers.contextvars import ContextVarsScopeManager
from opentracing_serving import asked_asgi, asked_wsgi, by_asgi, by_wsgi
from opentracing_spans import Spans

from tracedclient import HTTPClient
from tracedclient.inbound import ASGIMiddleware, WSGIMiddleware
from tracedclient.inbound.opentracing import OpenTracingServer

BROUGHT = [("ot-tracer-traceid", "2a"), ("ot-tracer-spanid", "17"), ("ot-baggage-user", "ann")]


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def serve(request):
    return request.param


def test_span_of_a_request(serve, tracer, spans):
    """This is all that is on the span of a request that brought a trace."""
    headers = [*BROUGHT, ("X-Trace-Id", "order-5")]
    serve(lambda _: (201, [b"made"]), "/a/b?c=d", headers, "POST", tracer=tracer)

    (span,) = spans.finished
    assert (span.context.trace_id, span.parent_id) == (0x2A, 0x17)
    assert span.context.baggage == {"user": "ann"}
    assert spans.whole() == [
        {
            "name": "HTTP POST",
            "parent": None,
            "tags": {
                "span.kind": "server",
                "component": "tracedclient",
                "http.method": "POST",
                "http.url": "/a/b?c=REDACTED",
                "http.status_code": 201,
                "http.response_size": 4,
                "tracedclient.trace_id": "order-5",
            },
            "logs": [],
        }
    ]


def test_a_call_is_below_the_served_request(serve, tracer, spans, client, echo_server):
    """``client.do`` in the application is its child, and sends the trace on."""
    serve(lambda _: (client.get(echo_server.url).status_code, []), headers=BROUGHT, tracer=tracer)

    served, call, request = spans.finished
    assert [served.parent_id, call.parent_id, request.parent_id] == [
        *(0x17, served.context.span_id, call.context.span_id)
    ]
    sent = echo_server.requests[0].headers
    assert (sent.get("ot-tracer-traceid"), sent.get("ot-baggage-user")) == ("2a", "ann")
    assert tracer.active_span is None


@pytest.mark.parametrize("extract", [True, False])
def test_a_trace_that_is_not_to_be_believed(serve, tracer, spans, extract):
    """``extract=False`` begins a trace whatever the request brings."""
    server = OpenTracingServer(tracer, extract=extract)
    serve(lambda _: (200, []), headers=BROUGHT, tracer=server)

    assert spans.finished[0].parent_id == (0x17 if extract else None)


@pytest.mark.parametrize(
    "headers", [[("ot-tracer-traceid", "2a")], [("ot-tracer-traceid", "no"), BROUGHT[1]]]
)
def test_a_malformed_trace_is_none(serve, tracer, spans, caplog, headers):
    """What the tracer cannot extract is as if nothing came, and nobody is bothered with it."""
    serve(lambda _: (200, []), headers=headers, tracer=tracer)

    assert spans.finished[0].parent_id is None
    assert caplog.records == []


@pytest.mark.parametrize("method", ["PURGE", "A" * 500, "\x1b[31mGET"])
def test_a_made_up_method_is_one_name(serve, tracer, spans, method):
    """Spans have as many names as there are methods, not as a sender can think of."""
    serve(lambda _: (200, []), method=method, tracer=tracer)

    (span,) = spans.finished
    assert span.operation_name == "HTTP other"
    assert len(span.tags["http.method"]) <= 40
    assert span.tags["http.method"].isprintable()


def test_paths_are_shown_encoded(serve, tracer, spans):
    """A path with blanks and newlines is shown as it went over the wire."""
    target = "/a%20b%0A" if serve is by_asgi else "/a b\n"
    serve(lambda _: (200, []), target, tracer=tracer)

    assert spans.finished[0].tags["http.url"] == "/a%20b%0A"


# --- WSGI -----------------------------------------------------------------------------------------


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
        answer = requests.get(f"http://127.0.0.1:{server.server_port}/x", headers=dict(BROUGHT))
        thread.join()

    assert answer.text == "ok"
    (span,) = spans.finished
    assert (span.context.trace_id, span.tags["http.response_size"]) == (0x2A, 2)


# --- ASGI -----------------------------------------------------------------------------------------


def test_a_websocket_is_a_request(tracer, spans):
    """A WebSocket has a span of its own, with 101 when it was accepted; its messages pass."""

    async def app(scope, receive, send):
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        await send({"type": "websocket.close"})

    sent = asked_asgi(ASGIMiddleware(app, tracer=tracer), kind="websocket", headers=BROUGHT)
    assert [m["type"] for m in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    (span,) = spans.finished
    assert (span.operation_name, span.tags["http.status_code"]) == ("HTTP GET", 101)
    assert span.context.trace_id == 0x2A


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"type": "websocket.close"}], 403),
        (
            [
                {"type": "websocket.http.response.start", "status": 429, "headers": []},
                {"type": "websocket.http.response.body", "body": b"later"},
            ],
            429,
        ),
    ],
)
def test_a_websocket_that_is_refused(tracer, spans, messages, status):
    """A refusal has the status that the client is given."""

    async def app(scope, receive, send):
        for message in messages:
            await send(message)

    asked_asgi(ASGIMiddleware(app, tracer=tracer), kind="websocket")
    assert spans.finished[0].tags["http.status_code"] == status


def test_lifespan_passes_untouched(tracer, spans):
    """Start and end of the server are no request's; the application gets the server's own calls."""
    got = []

    async def app(*call):
        got.append(call)

    async def receive():
        raise AssertionError

    async def send(_):
        raise AssertionError

    scope = {"type": "lifespan"}
    asyncio.run(ASGIMiddleware(app, tracer=tracer)(scope, receive, send))
    assert got == [(scope, receive, send)]
    assert spans.finished == []


def test_an_application_that_sends_nothing(tracer, spans):
    """No message is no status; the server answers by itself."""

    async def app(scope, receive, send):
        pass

    assert asked_asgi(ASGIMiddleware(app, tracer=tracer)) == []
    assert "http.status_code" not in spans.finished[0].tags


def test_a_cancelled_request(tracer, spans):
    """A request that its server cancels has a span that ends as an error; the cancellation goes on."""

    async def app(scope, receive, send):
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asked_asgi(ASGIMiddleware(app, tracer=tracer))
    assert spans.finished[0].tags["error"] is True


def test_a_send_that_fails(tracer, spans):
    """What the client never got is not counted; the server's error reaches the application."""

    async def app(scope, receive, send):
        with pytest.raises(OSError):
            await send({"type": "http.response.start", "status": 200, "headers": []})

    async def broken(_):
        raise OSError

    scope = {"type": "http", "headers": [], "path": "/"}
    asyncio.run(ASGIMiddleware(app, tracer=tracer)(scope, None, broken))
    assert "http.status_code" not in spans.finished[0].tags


@pytest.mark.parametrize("manager", [None, ContextVarsScopeManager], ids=["threads", "contexts"])
def test_requests_that_overlap(manager, client, echo_server):
    """Two requests of one loop do not get into each other's span, even with a scope of the thread's."""
    tracer = MockTracer(manager and manager())
    began, both = [], None

    async def app(scope, receive, send):
        began.append(scope)
        if len(began) == 2:
            both.set()
        await both.wait()
        await asyncio.get_running_loop().run_in_executor(
            None, contextvars.copy_context().run, calls.get, echo_server.url + scope["path"]
        )

    async def serve():
        nonlocal both
        both = asyncio.Event()
        service = ASGIMiddleware(app, tracer=tracer)
        scopes = [{"type": "http", "headers": [], "path": f"/{n}"} for n in range(2)]
        await asyncio.gather(*(service(scope, None, None) for scope in scopes))

    with HTTPClient(tracer=tracer, sinks=[]) as calls:
        asyncio.run(serve())

    finished = {s.context.span_id: s for s in tracer.finished_spans()}
    for span in finished.values():
        if span.tags.get("span.kind") == "client":
            served = finished[finished[span.parent_id].parent_id]
            assert span.tags["http.url"].endswith(served.tags["http.url"])
    assert len(finished) == 6


def test_an_application_abandoned_by_its_loop(tracer):
    """A coroutine that is closed elsewhere, when its loop is gone, ends without an error."""

    async def app(scope, receive, send):
        await asyncio.sleep(0)

    served = ASGIMiddleware(app, tracer=tracer)(
        {"type": "http", "headers": [], "path": "/"}, None, None
    )

    async def start():
        served.send(None)

    contextvars.copy_context().run(asyncio.run, start())
    served.close()
    assert tracer.finished_spans()[0].finished


# --- bad input ------------------------------------------------------------------------------------


class Broken(MockTracer):
    """One that raises where it is told to; its spans too."""

    def __init__(self, where):
        super().__init__()
        self.where = where

    def start_span(self, *arguments, **options):
        self.raises("start_span")
        span = super().start_span(*arguments, **options)
        for name in ("set_tag", "log_kv", "finish"):
            if name == self.where:
                setattr(span, name, lambda *_, name=name: self.raises(name))
        return span

    def extract(self, *arguments):
        self.raises("extract")
        return super().extract(*arguments)

    @property
    def scope_manager(self):
        self.raises("scope_manager")
        return super().scope_manager

    def raises(self, name):
        if name == self.where:
            raise RuntimeError(f"no {name} today")


@pytest.fixture
def _complaining():
    """As in a process that has not complained for a minute."""
    from tracedclient.inbound.opentracing.span import guarded

    guarded.quiet_until = float("-inf")


@pytest.mark.usefixtures("_complaining")
@pytest.mark.parametrize("where", ["start_span", "set_tag", "finish", "scope_manager", "extract"])
def test_a_tracer_that_raises(serve, caplog, where):
    """Requests are served as without it, and one line a minute complains; of ``extract``, none."""
    tracer = Broken(where)
    for _ in range(3):
        assert serve(lambda _: (200, [b"ok"]), tracer=tracer) == (200, b"ok")

    assert len(caplog.records) == (where != "extract")
    if where in ("set_tag", "scope_manager", "extract"):
        assert len(Spans(tracer).finished) == 3


@pytest.mark.usefixtures("_complaining")
@pytest.mark.parametrize("option", ["operation_name", "url_tag", "span_filter", "span_observer"])
def test_a_function_of_the_users_that_raises(serve, tracer, spans, caplog, option):
    """The request is served, and has its span, without what that function was to add."""

    def refuses(*_):
        raise RuntimeError("not today")

    serve(lambda _: (200, []), tracer=OpenTracingServer(tracer, **{option: refuses}))

    (span,) = spans.finished
    assert span.operation_name == "HTTP GET"
    assert ("http.url" in span.tags) is (option != "url_tag")
    assert "the request is served" in caplog.text


@pytest.mark.parametrize("answer", [None, "", 7])
def test_an_operation_name_that_is_none(serve, tracer, spans, answer):
    """A name that is no text is the usual one."""
    server = OpenTracingServer(tracer, operation_name=lambda _: answer)
    serve(lambda _: (200, []), tracer=server)

    assert spans.finished[0].operation_name == "HTTP GET"


@pytest.mark.parametrize("middleware", [WSGIMiddleware, ASGIMiddleware])
@pytest.mark.parametrize("given", [object(), "jaeger", MockTracer])
def test_what_is_no_tracer_is_refused(middleware, given):
    """It is an error that names the argument."""
    with pytest.raises(TypeError, match=r"^tracer must be an opentracing\.Tracer"):
        middleware(print, tracer=given)


@pytest.mark.parametrize(
    "option", ["operation_name", "component", "url_tag", "span_filter", "span_observer"]
)
def test_an_option_that_is_none_is_refused(tracer, option):
    """It is an error that names the option."""
    with pytest.raises(TypeError, match=f"^{option} must be"):
        OpenTracingServer(tracer, **{option: 7})


def test_the_extracted_span_is_the_parent_of_all(tracer, client, spans, echo_server):
    """What goes out of one service comes in to the next: two hops, one trace."""
    client.get(echo_server.url)
    names = ("ot-tracer-traceid", "ot-tracer-spanid")
    carried = [(name, echo_server.requests[0].headers.get(name)) for name in names]
    by_wsgi(lambda _: (200, []), headers=carried, tracer=tracer)

    _, request, served = spans.finished
    assert served.parent_id == request.context.span_id
    assert len({span.context.trace_id for span in spans.finished}) == 1
