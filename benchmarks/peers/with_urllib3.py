"""urllib3, which requests stands on."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from benchmarks.client import Client, repeated, shared
from benchmarks.job import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.job import Job


def pool_manager(job: Job) -> Client:
    """A pool manager with one SSLContext for all of its connections."""
    context = ssl.create_default_context(cafile=job.ca_file) if job.ca_file else None
    manager = urllib3.PoolManager(maxsize=job.threads, ssl_context=context)
    return Client(shared(repeated(_request(manager, job)), job.threads), manager.clear)


def _request(manager: urllib3.PoolManager, job: Job) -> Callable[[], int]:
    request, urls = manager.request, job.urls()
    headers, payload = job.headers or None, job.payload
    if job.upload:
        return _upload(manager, job)
    if job.stream:
        return _download(manager, job)
    if payload is not None:
        return lambda: len(request("POST", next(urls), json=payload).data)
    if headers:
        return lambda: len(request("GET", next(urls), headers=headers).data)
    return lambda: len(request("GET", next(urls)).data)


def _download(manager: urllib3.PoolManager, job: Job) -> Callable[[], int]:
    def request() -> int:
        response = manager.request("GET", job.url, preload_content=False)
        size = sum(map(len, response.stream(CHUNK)))
        response.release_conn()
        return size

    return request


def _upload(manager: urllib3.PoolManager, job: Job) -> Callable[[], int]:
    path = Path(job.upload or "")
    # urllib3 alone does not look how long a file is: without this it sends chunks.
    headers = {"Content-Length": str(path.stat().st_size)}

    def request() -> int:
        with path.open("rb") as body:
            return len(manager.request("POST", job.url, body=body, headers=headers).data)

    return request
