"""A tracer, a function or an argument of a middleware that is not as it should be harms no request."""

from __future__ import annotations

import pytest
from opentracing.mocktracer import MockTracer
from opentracing_serving import by_asgi, by_wsgi
from opentracing_spans import Spans

from tracedclient.inbound import ASGIMiddleware, WSGIMiddleware
from tracedclient.inbound.opentracing import OpenTracingServer


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def serve(request):
    return request.param


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
