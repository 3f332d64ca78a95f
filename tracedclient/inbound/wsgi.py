"""WSGI (PEP 3333): Flask, Django, and whatever else speaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from tracedclient.inbound.accept import ACCEPT, Acceptance
from tracedclient.inbound.answer import RESPONSE_HEADER, checked_response_header
from tracedclient.inbound.current import trace_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.inbound.opentracing import OpenTracingServer, Tracer
    from tracedclient.trace.context import TraceContext

# wsgiref.types has them, from Python 3.11 on.
Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Callable[[bytes], object]]
WSGIApp: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]


class WSGIMiddleware:
    """Binds the trace of each request while ``app`` works for it, its streamed body included.

    app              a WSGI application: ``app.wsgi_app`` of Flask, ``get_wsgi_application()`` of
                     Django.
    accept           the headers that are believed, in this order; ``()`` for none. ``traceparent``,
                     ``b3``, ``b3multi``, or a header whose value is the id.
    response_header  the header of the response that gives the id back; ``None`` for none.

    tracer           an ``opentracing.Tracer``, or ``OpenTracingServer(tracer, …)`` with options, of
                     ``tracedclient.inbound.opentracing``: each request is served in a span of its.

    A request without an id that is good gets a new one. What the application raises, returns and
    leaves undone is as without the middleware.
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        accept: Sequence[str] = ACCEPT,
        response_header: str | None = RESPONSE_HEADER,
        tracer: Tracer | OpenTracingServer | None = None,
    ) -> None:
        if not callable(app):
            raise TypeError(f"app must be a WSGI application, not {app!r}")
        self._app = app if tracer is None else _spanned(app, tracer)
        self._acceptance = Acceptance(accept)
        self._variables = [(_variable(name), name) for name in self._acceptance.names]
        self._response_header = checked_response_header(response_header)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        context = self._acceptance.read(
            (name, environ[variable]) for variable, name in self._variables if variable in environ
        )
        with trace_context(context):
            body = self._app(environ, self._telling(start_response, context.trace_id))
        return body if _is_whole(body, environ) else _Streamed(body, context)

    def _telling(self, start_response: StartResponse, trace_id: str) -> StartResponse:
        header = self._response_header
        if header is None:
            return start_response

        def start(
            status: str, headers: list[tuple[str, str]], *exc_info: Any
        ) -> Callable[[bytes], object]:
            others = [(name, value) for name, value in headers if name.lower() != header.lower()]
            return start_response(status, [*others, (header, trace_id)], *exc_info)

        return start


def _spanned(app: WSGIApp, tracer: Tracer | OpenTracingServer) -> WSGIApp:
    from tracedclient.inbound.opentracing import server_of  # noqa: PLC0415 - an extra
    from tracedclient.inbound.opentracing.wsgi import SpannedWSGI  # noqa: PLC0415

    return SpannedWSGI(app, server_of(tracer))


def _variable(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


def _is_whole(body: object, environ: Environ) -> bool:
    """Whether no code of the application's runs any more, or the server wants to see its own."""
    if isinstance(body, (list, tuple)):
        return True
    wrapper: Any = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


class _Streamed:
    """A body that the application is still making: the trace is bound while it does, and only
    then, since between two pieces the server's thread is not the request's.
    """

    def __init__(self, body: Iterable[bytes], context: TraceContext) -> None:
        self._body = body
        self._context = context
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with trace_context(self._context):
            if self._pieces is None:
                self._pieces = iter(self._body)
            return next(self._pieces)

    def close(self) -> None:
        """Have the application clean up."""
        close = getattr(self._body, "close", None)
        if close is not None:
            with trace_context(self._context):
                close()
