"""Orders a lamp, and prints the trace id of that."""

from __future__ import annotations

import logging
import signal
from typing import TYPE_CHECKING

import service

from tracedclient.inbound import current_trace_id, traced_job

if TYPE_CHECKING:
    from tracedclient import HTTPClient

log = logging.getLogger("customer")


@traced_job
def order(item: str, client: HTTPClient) -> str | None:
    """Order ``item``; return the id that all the services' lines about it have."""
    log.info("ordering", extra={"item": item})
    answer = client.post(f"{service.SHOP}/orders", json={"item": item}, idempotency_key=True)
    answer.raise_for_status()
    log.info("ordered", extra=answer.json())
    return current_trace_id()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback on Ctrl-C
    with service.start("customer") as customers_client:
        print(order("lamp", customers_client))
