"""Takes orders. Flask, behind waitress."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING, Any

import flask
import jobs
import service
import spans
import waitress

from tracedclient.inbound import WSGIMiddleware, trace_headers

if TYPE_CHECKING:
    from tracedclient import HTTPClient

log = logging.getLogger("shop")


def make_app(client: HTTPClient) -> flask.Flask:
    """Return the application, which makes its calls with ``client``."""
    app = flask.Flask("shop")
    numbers = itertools.count(1)

    @app.post("/orders")
    def order() -> tuple[dict[str, Any], int]:
        number, item = next(numbers), flask.request.get_json()["item"]
        log.info("order.received", extra={"order": number, "item": item})
        shelf = client.get(f"{service.STOCK}/items/{item}").json()
        if not shelf["left"]:
            return {"refused": "sold out"}, 409
        # The worker's job is of this trace, as a request to it would be.
        jobs.put({"order": number, "item": item}, headers=trace_headers() | spans.for_job())
        return {"order": number}, 202

    @app.put("/orders/<int:number>/state")
    def change(number: int) -> dict[str, Any]:
        state = flask.request.get_json()["state"]
        log.info("order.%s", state, extra={"order": number})
        return {"order": number, "state": state}

    @app.put("/items/<item>/left")
    def show(item: str) -> dict[str, Any]:
        left = flask.request.get_json()["left"]
        log.info("page.updated", extra={"item": item, "left": left})
        return {"item": item, "left": left}

    spans.of_flask(app)
    app.wsgi_app = WSGIMiddleware(app.wsgi_app)  # type: ignore[method-assign]
    return app


if __name__ == "__main__":
    with service.start("shop") as shops_client:
        service.end_with_parent()
        log.info("started")
        waitress.serve(make_app(shops_client), sockets=[service.listening()])
