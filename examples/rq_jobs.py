"""RQ: a job belongs to the trace of whoever queued it.

redis-server &
rq worker --path examples
python -c 'import redis, rq, rq_jobs; rq_jobs.enqueue(rq.Queue(connection=redis.Redis()), "https://example.org")'
"""

from __future__ import annotations

import logging
import logging.config

import rq

import tracedclient
from tracedclient.inbound import trace_headers, traced_job

log = logging.getLogger("jobs")
client = tracedclient.HTTPClient(service="jobs")

config = tracedclient.logging_config()
config["loggers"]["jobs"] = {"handlers": ["tracedclient"], "level": "INFO"}
logging.config.dictConfig(config)


def trace_of_this_job(*_: object) -> dict[str, str] | None:
    """Return the headers that ``enqueue`` sent along."""
    job = rq.get_current_job()
    return None if job is None else job.meta.get("trace")


@traced_job(headers=trace_of_this_job)
def fetch(url: str) -> int:
    """Fetch ``url``."""
    log.info("fetching")
    return client.get(url).status_code


def enqueue(queue: rq.Queue, url: str) -> rq.job.Job:
    """Queue ``fetch(url)``, and the trace that is bound here with it."""
    return queue.enqueue(fetch, url, meta={"trace": trace_headers()})
