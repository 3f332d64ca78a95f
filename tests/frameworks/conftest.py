"""A service of each framework behind a real server of its kind."""

from __future__ import annotations

import io
import json
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest
import uvicorn
from opentracing.mocktracer import MockTracer
from opentracing_spans import Spans
from werkzeug.serving import WSGIRequestHandler, make_server

from frameworks import applications
from tracedclient import HTTPClient
from tracedclient.inbound import TraceIdFilter
from tracedclient.sinks.formatter import JsonLineFormatter

if TYPE_CHECKING:
    import servers


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


@contextmanager
def wsgi_server(app):
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


@contextmanager
def asgi_server(app):
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    listening.listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()


class Service(NamedTuple):
    address: str
    upstream: servers.ScriptedServer
    """What it calls."""
    written: io.StringIO

    @property
    def url(self):
        return f"http://{self.address}"

    def lines(self):
        """What it logged, parsed."""
        return [json.loads(line) for line in self.written.getvalue().splitlines()]


@pytest.fixture
def log():
    """What the logger ``service`` and all others of the process write, with the filter in place."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonLineFormatter())
    handler.addFilter(TraceIdFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger("service").setLevel(logging.INFO)
    yield handler.stream
    root.removeHandler(handler)


@pytest.fixture
def start_service(start, log, echo_server):
    """``start_service("flask")``: that service, running; with spans if it is given a tracer."""

    def run(kind, tracer=None):
        client = start(HTTPClient(service=kind, tracer=tracer))
        work = applications.Work(client, echo_server.url, tracer)
        app = getattr(applications, f"{kind}_service")(work)
        server = wsgi_server if kind in {"flask", "django_wsgi"} else asgi_server
        return Service(start(server(app)), echo_server, log)

    return run


KINDS = ["flask", "django_wsgi", "django_asgi", "starlette", "fastapi"]


@pytest.fixture(params=KINDS)
def service(request, start_service):
    """Each framework's, one after the other."""
    return start_service(request.param)


@pytest.fixture(params=KINDS)
def spanned(request, start_service):
    """The same with OpenTracing's mock tracer; its spans."""
    tracer = MockTracer()
    return start_service(request.param, tracer), Spans(tracer)
