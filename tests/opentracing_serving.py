"""Requests to a service in a span, by WSGI and by ASGI, without a server in between."""

from __future__ import annotations

import asyncio
from wsgiref.util import setup_testing_defaults

from tracedclient.inbound import ASGIMiddleware, WSGIMiddleware


def by_wsgi(handler, target="/root", headers=(), method="GET", **options):
    """The status and body of a WSGI service; ``handler(request)`` gives status and pieces."""

    def app(environ, start_response):
        status, pieces = handler(environ)
        start_response(f"{status} Whatever", [])
        return pieces

    return asked_wsgi(WSGIMiddleware(app, **options), target, headers, method)


def asked_wsgi(app, target="/root", headers=(), method="GET"):
    path, _, query = target.partition("?")
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
    setup_testing_defaults(environ)
    for name, value in headers:
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    started = []
    body = app(environ, lambda status, *_: started.append(int(status[:3])))
    try:
        content = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    return started[-1] if started else None, content


def by_asgi(handler, target="/root", headers=(), method="GET", **options):
    """The same of an ASGI service."""

    async def app(scope, receive, send):
        status, pieces = handler(scope)
        await send({"type": "http.response.start", "status": status, "headers": []})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    sent = asked_asgi(ASGIMiddleware(app, **options), target, headers, method)
    status = next((m["status"] for m in sent if "status" in m), None)
    return status, b"".join(m.get("body", b"") for m in sent)


def asked_asgi(app, target="/root", headers=(), method="GET", kind="http"):
    """The messages of an ASGI application."""
    path, _, query = target.partition("?")
    scope = {
        "type": kind,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers],
    }
    if kind == "http":
        scope["method"] = method
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    asyncio.run(app(scope, receive, send))
    return sent
