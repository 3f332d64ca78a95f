"""The library itself."""

from __future__ import annotations

import logging.config
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import requests

import tracedclient
from benchmarks.client import Client, repeated, shared
from benchmarks.job import CHUNK
from benchmarks.peers.calls import one_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.job import Job


def do_debug_off(job: Job) -> Client:
    """``HTTPClient.do`` as shipped."""
    client = _client(job, debug=False)
    return Client(shared(repeated(_do(client, job)), job.threads), client.close)


def do_debug_on(job: Job) -> Client:
    """``HTTPClient.do`` with debug on, each trace written as a JSON line to a file."""
    directory = tempfile.TemporaryDirectory()
    log = Path(job.log or Path(directory.name) / "trace.log")
    logging.config.dictConfig(tracedclient.logging_config(filename=log))
    client = _client(job, debug=True)

    def check() -> None:
        if job.log is None and log.read_text(encoding="utf-8").count("\n") != 1:
            raise RuntimeError("the first request with debug on did not log one line")

    def close() -> None:
        client.close()
        close_handlers("tracedclient.trace")
        directory.cleanup()

    return Client(shared(repeated(_do(client, job)), job.threads), close, check)


def traced_session(job: Job) -> Client:
    """``TracedSession`` with no trace in force, in requests' place."""
    session = tracedclient.TracedSession()
    session.verify = job.ca_file or True
    return Client(repeated(one_call(session, job)), session.close)


def close_handlers(name: str) -> None:
    """Close what a logger writes to, and take it away."""
    logger = logging.getLogger(name)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def _client(job: Job, *, debug: bool) -> tracedclient.HTTPClient:
    return tracedclient.HTTPClient(
        debug=debug,
        verify=job.ca_file or True,
        cookies=job.cookies,
    )


def _do(client: tracedclient.HTTPClient, job: Job) -> Callable[[], int]:
    do, request, urls = client.do, requests.Request, job.urls()
    method, headers, payload = job.method, job.headers, job.payload
    if job.upload:
        return _upload(client, job)
    if job.stream:
        return _download(client, job)
    if payload is not None:
        return lambda: len(do(request(method, next(urls), json=payload)).content)
    if headers:
        return lambda: len(do(request(method, next(urls), headers=headers)).content)
    return lambda: len(do(request(method, next(urls))).content)


def _download(client: tracedclient.HTTPClient, job: Job) -> Callable[[], int]:
    def request() -> int:
        with client.do(requests.Request("GET", job.url), stream=True) as response:
            return sum(map(len, response.iter_content(CHUNK)))

    return request


def _upload(client: tracedclient.HTTPClient, job: Job) -> Callable[[], int]:
    path = Path(job.upload or "")

    def request() -> int:
        with path.open("rb") as body:
            return len(client.do(requests.Request("POST", job.url, data=body)).content)

    return request
