"""One small service in each framework, with its middleware where the framework wants it.

/call    logs a line and calls ``upstream`` with the client, in a thread of a pool too
/stream  logs a line while it makes its body
/fail    raises
"""

# No annotations from the future: FastAPI reads those of functions inside of functions.

import asyncio
import contextvars
import logging
import types
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tracedclient import HTTPClient
from tracedclient.inbound import ASGIMiddleware, WSGIMiddleware, current_trace_id

log = logging.getLogger("service")


class Work(NamedTuple):
    """What every service does."""

    client: HTTPClient
    upstream: str
    tracer: Any = None
    """OpenTracing's, of the middleware."""

    def call(self):
        log.info("call")
        self.client.get(self.upstream)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, self.client.get, self.upstream).result()
        return current_trace_id()

    @staticmethod
    def stream():
        for _ in range(3):
            log.info("stream")
            yield current_trace_id()


def flask_service(work):
    import flask

    app = flask.Flask("service")
    app.add_url_rule("/call", view_func=work.call, endpoint="call")

    @app.get("/stream")
    def stream():
        return flask.Response(work.stream())

    @app.get("/fail")
    def fail():
        raise RuntimeError("no")

    app.wsgi_app = WSGIMiddleware(app.wsgi_app, tracer=work.tracer)
    return app


def _django_urls(work):
    from django.conf import settings
    from django.http import HttpResponse, StreamingHttpResponse
    from django.urls import path

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], MIDDLEWARE=[], LOGGING_CONFIG=None)
        import django

        django.setup()

    def fail(request):
        raise RuntimeError("no")

    async def pieces():
        for piece in work.stream():
            yield piece
            await asyncio.sleep(0)

    def stream(request):
        is_async = hasattr(request, "scope")
        return StreamingHttpResponse(pieces() if is_async else work.stream())

    settings.ROOT_URLCONF = urls = types.ModuleType("urls")
    urls.urlpatterns = [
        path("call", lambda _: HttpResponse(work.call())),
        path("stream", stream),
        path("fail", fail),
    ]


def django_wsgi_service(work):
    _django_urls(work)
    from django.core.wsgi import get_wsgi_application

    return WSGIMiddleware(get_wsgi_application(), tracer=work.tracer)


def django_asgi_service(work):
    _django_urls(work)
    from django.core.asgi import get_asgi_application

    return ASGIMiddleware(get_asgi_application(), tracer=work.tracer)


def starlette_service(work):
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import PlainTextResponse, StreamingResponse
    from starlette.routing import Route

    async def call(request):
        return PlainTextResponse(await run_in_threadpool(work.call))

    async def stream(request):
        return StreamingResponse(work.stream())

    async def fail(request):
        raise RuntimeError("no")

    routes = [Route("/call", call), Route("/stream", stream), Route("/fail", fail)]
    return ASGIMiddleware(Starlette(routes=routes), tracer=work.tracer)


def fastapi_service(work):
    import fastapi
    from fastapi.responses import PlainTextResponse, StreamingResponse

    app = fastapi.FastAPI()
    app.add_middleware(ASGIMiddleware, tracer=work.tracer)

    @app.get("/call")
    def call():  # FastAPI runs it in a thread of its pool
        return PlainTextResponse(work.call())

    @app.get("/stream")
    async def stream():
        return StreamingResponse(work.stream())

    @app.get("/fail")
    async def fail():
        raise RuntimeError("no")

    @app.websocket("/chat")
    async def chat(socket: fastapi.WebSocket):
        await socket.accept()
        while (text := await socket.receive_text()) != "end":
            log.info("chat %s", text)
            await socket.send_text(f"{text} {current_trace_id()}")
        await socket.close()

    return app
