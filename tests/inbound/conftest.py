"""A service: a middleware around an application, reached without a server in between."""

from __future__ import annotations

import pytest

from inbound.serving import asgi_calling, ask_wsgi, asked_asgi, wsgi_calling
from tracedclient.inbound import ASGIMiddleware, WSGIMiddleware


def by_wsgi(work, headers=(), **options):
    return ask_wsgi(WSGIMiddleware(wsgi_calling(work), **options), headers)


def by_asgi(work, headers=(), **options):
    return asked_asgi(ASGIMiddleware(asgi_calling(work), **options), headers)


@pytest.fixture(params=[by_wsgi, by_asgi], ids=["wsgi", "asgi"])
def serve(request):
    """``serve(work, headers, **options)``: the answer of a service that does ``work`` for a request."""
    return request.param
