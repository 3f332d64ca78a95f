"""httpx, with and without its ``trace`` extension."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.client import Client, repeated, shared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.job import Job


def client(job: Job) -> Client:
    """A client as documented."""
    opened = _open(job)
    return Client(shared(repeated(_request(opened, job, {})), job.threads), opened.close)


def client_with_trace(job: Job) -> Client:
    """The same, told of each event of httpcore; nothing is kept or logged."""
    opened = _open(job)
    seen: set[str] = set()

    def trace(event: str, info: Mapping[str, Any]) -> None:
        del info
        seen.add(event)

    def check() -> None:
        if "http11.receive_response_headers.complete" not in seen:
            raise RuntimeError(f"httpx told its trace only of {sorted(seen)}")

    extra = {"extensions": {"trace": trace}}
    return Client(repeated(_request(opened, job, extra)), opened.close, check)


def _open(job: Job) -> httpx.Client:
    verify = ssl.create_default_context(cafile=job.ca_file) if job.ca_file else True
    limits = httpx.Limits(max_keepalive_connections=job.threads, max_connections=100)
    return httpx.Client(verify=verify, limits=limits)


def _request(opened: httpx.Client, job: Job, extra: dict[str, Any]) -> Callable[[], int]:
    urls = job.urls()
    if job.upload:
        return _upload(opened, job)
    if job.stream:
        return _download(opened, job)
    if job.payload is not None:
        return lambda: len(opened.post(next(urls), json=job.payload, **extra).content)
    if job.headers:
        return lambda: len(opened.get(next(urls), headers=job.headers, **extra).content)
    return lambda: len(opened.get(next(urls), **extra).content)


def _download(opened: httpx.Client, job: Job) -> Callable[[], int]:
    def request() -> int:
        # Its own sizes: asked for CHUNK it copies every byte once more.
        with opened.stream("GET", job.url) as response:
            return sum(map(len, response.iter_bytes()))

    return request


def _upload(opened: httpx.Client, job: Job) -> Callable[[], int]:
    path = Path(job.upload or "")

    def request() -> int:
        with path.open("rb") as body:
            return len(opened.post(job.url, content=body).content)

    return request
