"""A company of two services, each with telemetry of its own: shop asks orders, which asks stock."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
import servers
import tenacity

from tracedclient import HTTPClient, RetryPolicy
from tracedclient.inbound import WSGIMiddleware

QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01), wait_throttled=tenacity.wait_fixed(0.01))


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass


@contextmanager
def serving(app):
    """The port of a WSGI application's server."""
    with make_server("127.0.0.1", 0, app, _Server, _Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Orders:
    def __init__(self, client, stock_url):
        self._client = client
        self._stock_url = stock_url

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/old":
            start_response("302 Found", [("Location", "/orders"), ("Content-Length", "0")])
            return [b""]
        self._client.get(self._stock_url).raise_for_status()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"two left"]


@contextmanager
def _names():
    names = servers.Resolver()
    names["orders.internal"] = names["stock.internal"] = ["127.0.0.1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", names.getaddrinfo)
        yield


@contextmanager
def company(shop, orders, around_orders=lambda app: app, *, stock_takes=0.0):
    """Yields shop's client and the URL of orders, where ``/old`` leads to ``/orders``.

    Orders asks stock, which is not instrumented, and busy at the first time. ``shop`` and ``orders``
    are more arguments of their clients; ``around_orders`` is its other middleware.
    """
    answers = iter([503])
    with ExitStack() as stack:
        stack.enter_context(_names())
        stock = stack.enter_context(
            servers.serve(lambda _: servers.Answer(next(answers, 200), delay=stock_takes))
        )
        ask, answer = (
            stack.enter_context(HTTPClient(service=name, retry=QUICK, **{"sinks": [], **options}))
            for name, options in (("shop", shop), ("orders", orders))
        )
        orders_app = _Orders(answer, f"http://stock.internal:{stock.port}/items")
        port = stack.enter_context(serving(WSGIMiddleware(around_orders(orders_app))))
        yield ask, f"http://orders.internal:{port}"
