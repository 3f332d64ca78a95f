"""pycurl: libcurl, in C, through one handle that is used again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pycurl

from benchmarks.client import Client, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.job import Job


def handle(job: Job) -> Client:
    """One handle; the lines of the head are kept as they are, nothing parses them."""
    curl = pycurl.Curl()
    if job.ca_file:
        curl.setopt(pycurl.CAINFO, job.ca_file)
        # No other peer resumes TLS sessions.
        curl.setopt(pycurl.SSL_SESSIONID_CACHE, 0)
    if job.headers:
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in job.headers.items()])
    if job.cookies:
        curl.setopt(pycurl.COOKIEFILE, "")
    if not job.environment:
        curl.setopt(pycurl.PROXY, "")
    return Client(repeated(_request(curl, job)), curl.close)


def _request(curl: Any, job: Job) -> Callable[[], int]:
    if job.upload:
        return _upload(curl, job)
    if job.stream:
        return _download(curl, job)
    return _whole(curl, job)


def _whole(curl: Any, job: Job) -> Callable[[], int]:
    urls, payload = job.urls(), job.payload
    if payload is not None:
        curl.setopt(pycurl.HTTPHEADER, ["Content-Type: application/json"])

    def request() -> int:
        head: list[bytes] = []
        body: list[bytes] = []
        curl.setopt(pycurl.URL, next(urls))
        if payload is not None:
            curl.setopt(pycurl.POSTFIELDS, json.dumps(payload))
        curl.setopt(pycurl.HEADERFUNCTION, head.append)
        curl.setopt(pycurl.WRITEFUNCTION, body.append)
        curl.perform()
        return len(b"".join(body))

    return request


def _download(curl: Any, job: Job) -> Callable[[], int]:
    curl.setopt(pycurl.URL, job.url)

    def request() -> int:
        sizes: list[int] = []
        curl.setopt(pycurl.WRITEFUNCTION, lambda chunk: sizes.append(len(chunk)))
        curl.perform()
        return sum(sizes)

    return request


def _upload(curl: Any, job: Job) -> Callable[[], int]:
    path = Path(job.upload or "")
    curl.setopt(pycurl.URL, job.url)
    curl.setopt(pycurl.POST, 1)
    curl.setopt(pycurl.POSTFIELDSIZE_LARGE, path.stat().st_size)
    # Without the Expect header, for which no other peer waits.
    curl.setopt(pycurl.HTTPHEADER, ["Expect:"])

    def request() -> int:
        answer: list[bytes] = []
        curl.setopt(pycurl.WRITEFUNCTION, answer.append)
        with path.open("rb") as body:
            curl.setopt(pycurl.READFUNCTION, body.read)
            curl.perform()
        return len(b"".join(answer))

    return request
