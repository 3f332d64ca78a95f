"""A span around a WSGI application, its streamed body included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracedclient.inbound.opentracing.request import of_environ
from tracedclient.inbound.opentracing.span import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracedclient.inbound.opentracing.server import OpenTracingServer
    from tracedclient.inbound.opentracing.span import ServedSpan
    from tracedclient.inbound.wsgi import Environ, StartResponse, WSGIApp


class SpannedWSGI:
    """Serves each request in a span of ``server``'s, which ends when its body is closed.

    A body that is whole is handed on as it is, and so is the server's own file: their span ends
    when the application has returned them.
    """

    def __init__(self, app: WSGIApp, server: OpenTracingServer) -> None:
        self._app = app
        self._server = server

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = guarded(of_environ, environ)
        span = None if request is None else self._server.begin(request)
        if span is None:
            return self._app(environ, start_response)
        with span.in_force():
            body = self._app(environ, _noting(start_response, span))
        if isinstance(body, (list, tuple)):
            span.sent(*body)
        elif not _is_the_servers(body, environ):
            return _Streamed(body, span)
        span.finish()
        return body


def _noting(start_response: StartResponse, span: ServedSpan) -> StartResponse:
    def start(
        status: str, headers: list[tuple[str, str]], *exc_info: Any
    ) -> Callable[[bytes], object]:
        write = start_response(status, headers, *exc_info)
        span.status = guarded(_code, status)

        def counted(data: bytes) -> object:
            span.sent(data)
            return write(data)

        return counted

    return start


def _code(status: str) -> int:
    return int(status.split(None, 1)[0])


def _is_the_servers(body: object, environ: Environ) -> bool:
    wrapper: Any = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


class _Streamed:
    """A body that the application is still making."""

    def __init__(self, body: Iterable[bytes], span: ServedSpan) -> None:
        self._body = body
        self._span = span
        self._pieces: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self._next()
        if piece is None:
            raise StopIteration
        self._span.sent(piece)
        return piece

    def _next(self) -> bytes | None:
        # The end of the body is no error of its span's.
        with self._span.in_force():
            if self._pieces is None:
                self._pieces = iter(self._body)
            return next(self._pieces, None)

    def close(self) -> None:
        """Have the application clean up, and finish the span."""
        close = getattr(self._body, "close", None)
        if close is not None:
            with self._span.in_force():
                close()
        self._span.finish()
