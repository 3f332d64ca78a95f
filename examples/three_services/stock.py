"""Knows what is on the shelves. FastAPI, on uvicorn."""

from __future__ import annotations

import itertools
import logging
import time
from typing import TYPE_CHECKING, Any

import fastapi
import service
import spans
import uvicorn

from tracedclient.inbound import ASGIMiddleware

if TYPE_CHECKING:
    from tracedclient import HTTPClient

SECONDS_TO_THE_SHELF = 0.6

log = logging.getLogger("stock")


def make_app(client: HTTPClient) -> Any:
    """Return the application, which makes its calls with ``client``."""
    app = fastapi.FastAPI()
    looks = itertools.count(1)
    shelves = {"lamp": 42}

    @app.get("/items/{item}")
    def look(item: str) -> dict[str, Any]:
        # So that there is a retry to be seen: every other look comes at a bad time.
        if next(looks) % 2:
            log.warning("shelf.being_counted", extra={"item": item})
            raise fastapi.HTTPException(503, headers={"Retry-After": "1"})
        return {"item": item, "left": shelves.get(item, 0)}

    @app.post("/items/{item}/reservations")
    def reserve(item: str) -> dict[str, Any]:
        time.sleep(SECONDS_TO_THE_SHELF)  # so that there is something slow to be seen
        shelves[item] -= 1
        shelf = {"item": item, "left": shelves[item]}
        log.info("item.reserved", extra=shelf)
        client.put(f"{service.SHOP}/items/{item}/left", json={"left": shelves[item]})
        return shelf

    spans.of_fastapi(app)
    # Around all of it, the instrumentation included: see docs/opentelemetry.md.
    return ASGIMiddleware(app)


if __name__ == "__main__":
    with service.start("stock") as stocks_client:
        service.end_with_parent()
        log.info("started")
        config = uvicorn.Config(make_app(stocks_client), log_config=None, access_log=False)
        uvicorn.Server(config).run(sockets=[service.listening()])
