"""Celery: a task belongs to the trace of whoever queued it, retries and tasks of tasks included.

redis-server &
BROKER=redis://127.0.0.1 celery --app celery_tasks worker
BROKER=redis://127.0.0.1 python -c 'import celery_tasks; celery_tasks.fetch.delay("https://example.org")'
"""

from __future__ import annotations

import logging
import logging.config
import os
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging, worker_process_shutdown

import tracedclient
from tracedclient.inbound import received_trace, trace_headers

log = logging.getLogger("tasks")


class TracedTask(Task):
    """Sends the trace along when it is queued, and is in it when it runs."""

    def apply_async(self, *args: Any, headers: dict[str, Any] | None = None, **options: Any) -> Any:
        headers = {**(headers or {}), "trace": trace_headers()}
        return super().apply_async(*args, headers=headers, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with received_trace((self.request.headers or {}).get("trace")):
            return super().__call__(*args, **kwargs)


app = Celery("tasks", broker=os.environ["BROKER"], task_cls=TracedTask)
client = tracedclient.HTTPClient(service="tasks")


@setup_logging.connect
def configure_logging(**_: Any) -> None:
    """Have the traces and the tasks' own lines written to one place, as JSON, with the id."""
    config = tracedclient.logging_config()
    config["loggers"]["tasks"] = {"handlers": ["tracedclient"], "level": "INFO"}
    logging.config.dictConfig(config)


@worker_process_shutdown.connect
def close_client(**_: Any) -> None:
    """Close the connections when a worker process ends."""
    client.close()


@app.task(bind=True, max_retries=2)
def fetch(self: Any, url: str) -> int:
    """Fetch ``url``; in a second, again, when it cannot be had."""
    log.info("fetching")
    status = client.get(url).status_code
    if status >= 500:
        raise self.retry(countdown=1)
    return status


@app.task
def fetch_all(urls: list[str]) -> None:
    """Queue a task for each of ``urls``: they are all of this task's trace."""
    log.info("queueing")
    for url in urls:
        fetch.delay(url)
