"""Packs what was ordered: one job after the other, from the queue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import jobs
import service
import spans

from tracedclient.inbound import traced_job

if TYPE_CHECKING:
    from tracedclient import HTTPClient

log = logging.getLogger("worker")


@traced_job(headers=lambda job, _: job["headers"])
def pack(job: dict[str, Any], client: HTTPClient) -> None:
    """Reserve the item, and tell the shop."""
    order, item = job["body"]["order"], job["body"]["item"]
    with spans.of_job("pack", job["headers"]):
        log.info("packing", extra={"order": order, "item": item})
        reservations = f"{service.STOCK}/items/{item}/reservations"
        client.post(reservations, idempotency_key=f"order-{order}").raise_for_status()
        state = f"{service.SHOP}/orders/{order}/state"
        client.put(state, json={"state": "packed"}).raise_for_status()
        log.info("packed", extra={"order": order})


if __name__ == "__main__":
    with service.start("worker") as workers_client:
        service.end_with_parent()
        log.info("started")
        while True:
            with jobs.taken() as taken:
                pack(taken, workers_client)
