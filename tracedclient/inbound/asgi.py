"""ASGI 3: FastAPI, Starlette, Django's asgi, and whatever else speaks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from tracedclient.inbound.accept import ACCEPT, Acceptance
from tracedclient.inbound.answer import RESPONSE_HEADER, checked_response_header
from tracedclient.inbound.current import trace_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.inbound.opentracing import OpenTracingServer, Tracer

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_SERVED = ("http", "websocket")
_STARTS = frozenset(
    {"http.response.start", "websocket.accept", "websocket.http.response.start"},
)


class ASGIMiddleware:
    """Binds the trace of each request, and of each WebSocket, while ``app`` works for it.

    app              an ASGI application; ``app.add_middleware(ASGIMiddleware)`` in Starlette and
                     FastAPI.
    accept           the headers that are believed, in this order; ``()`` for none. ``traceparent``,
                     ``b3``, ``b3multi``, or a header whose value is the id.
    response_header  the header of the response, or of a WebSocket's acceptance, that gives the id
                     back; ``None`` for none.

    tracer           an ``opentracing.Tracer``, or ``OpenTracingServer(tracer, …)`` with options, of
                     ``tracedclient.inbound.opentracing``: each request is served in a span of its.

    A request without an id that is good gets a new one. What the application raises, sends and
    leaves undone is as without the middleware; tasks it starts inherit the id.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        accept: Sequence[str] = ACCEPT,
        response_header: str | None = RESPONSE_HEADER,
        tracer: Tracer | OpenTracingServer | None = None,
    ) -> None:
        if not callable(app):
            raise TypeError(f"app must be an ASGI application, not {app!r}")
        self._app = app if tracer is None else _spanned(app, tracer)
        self._acceptance = Acceptance(accept)
        self._wanted = {name.encode("latin-1"): name for name in self._acceptance.names}
        header = checked_response_header(response_header)
        self._response_header = None if header is None else header.lower().encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in _SERVED:
            await self._app(scope, receive, send)
            return
        context = self._acceptance.read(self._relevant(scope["headers"]))
        with trace_context(context) as trace_id:
            await self._app(scope, receive, self._telling(send, trace_id))

    def _relevant(self, headers: Any) -> Iterator[tuple[str, str]]:
        for raw, value in headers:
            name = self._wanted.get(raw.lower())
            if name is not None:
                yield name, value.decode("latin-1")

    def _telling(self, send: Send, trace_id: str) -> Send:
        header = self._response_header
        if header is None:
            return send

        async def tell(message: Message) -> None:
            if message["type"] in _STARTS:
                headers = [
                    (name, value)
                    for name, value in message.get("headers") or ()
                    if name.lower() != header
                ]
                message = {**message, "headers": [*headers, (header, trace_id.encode("ascii"))]}
            await send(message)

        return tell


def _spanned(app: ASGIApp, tracer: Tracer | OpenTracingServer) -> ASGIApp:
    from tracedclient.inbound.opentracing import server_of  # noqa: PLC0415 - an extra
    from tracedclient.inbound.opentracing.asgi import SpannedASGI  # noqa: PLC0415

    return SpannedASGI(app, server_of(tracer))
