"""A span around an ASGI application, from its call to its return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracedclient.inbound.opentracing.request import of_scope
from tracedclient.inbound.opentracing.span import guarded

if TYPE_CHECKING:
    from tracedclient.inbound.asgi import ASGIApp, Message, Receive, Scope, Send
    from tracedclient.inbound.opentracing.server import OpenTracingServer
    from tracedclient.inbound.opentracing.span import ServedSpan

_SERVED = ("http", "websocket")


class SpannedASGI:
    """Serves each request, and each WebSocket, in a span of ``server``'s."""

    def __init__(self, app: ASGIApp, server: OpenTracingServer) -> None:
        self._app = app
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = guarded(of_scope, scope) if scope["type"] in _SERVED else None
        span = None if request is None else self._server.begin(request)
        if span is None:
            await self._app(scope, receive, send)
            return
        with span.in_force(in_asyncio=True):
            await self._app(scope, receive, _noting(send, span))
        span.finish()


def _noting(send: Send, span: ServedSpan) -> Send:
    async def noted(message: Message) -> None:
        await send(message)
        guarded(_note, message, span)

    return noted


def _note(message: Any, span: ServedSpan) -> None:
    kind = message["type"]
    if kind in ("http.response.start", "websocket.http.response.start"):
        span.status = int(message["status"])
    elif kind in ("http.response.body", "websocket.http.response.body"):
        span.sent(message.get("body", b""))
    elif kind == "websocket.accept":
        span.status = 101
    elif kind == "websocket.close" and span.status is None:
        # A handshake that is refused: servers answer it so.
        span.status = 403
