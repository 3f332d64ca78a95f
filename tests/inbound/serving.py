"""Requests to a middleware, without a server in between that would tidy them up."""

from __future__ import annotations

import asyncio


class Served:
    """What came back."""

    def __init__(self, status, headers, body=b""):
        self.status = status
        self.headers = [(name.lower(), value) for name, value in headers]
        self.body = body

    def header(self, name):
        return [value for key, value in self.headers if key == name.lower()]


def ask_wsgi(app, headers=(), environ=()):
    """The answer of a WSGI application, its body read and closed; several fields joined by commas,
    as servers do.
    """
    variables = dict(environ)
    for name, value in headers:
        variable = f"HTTP_{name.upper().replace('-', '_')}"
        before = variables.get(variable)
        variables[variable] = value if before is None else f"{before},{value}"
    started = []

    def start_response(status, fields, *exc_info):
        started[:] = [(status, fields)]

    body = app(variables, start_response)
    try:
        content = b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()
    if not started:
        return Served(None, [], content)
    ((status, fields),) = started
    return Served(int(status.split()[0]), fields, content)


async def ask_asgi(app, headers=(), kind="http", receive=None):
    """The messages of an ASGI application."""
    sent = []

    async def nothing():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "headers": [(n.lower().encode(), v.encode("latin-1")) for n, v in headers],
    }
    await app(scope, receive or nothing, send)
    return sent


def asked_asgi(app, headers=()):
    """The answer of an ASGI application."""
    start, *rest = asyncio.run(ask_asgi(app, headers))
    return Served(
        start["status"],
        [(n.decode(), v.decode()) for n, v in start["headers"]],
        b"".join(message["body"] for message in rest),
    )


def wsgi_calling(work):
    """A WSGI application that does ``work`` and answers with what it returned, as text."""

    def app(environ, start_response):
        body = str(work()).encode()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body]

    return app


def asgi_calling(work):
    """The same in ASGI."""

    async def app(scope, receive, send):
        body = str(work()).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return app
