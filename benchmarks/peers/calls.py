"""One request through a session that has requests' interface: requests', ours, niquests'."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.job import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.job import Job


def one_call(session: Any, job: Job) -> Callable[[], int]:
    """Return the function that makes one request and returns the size of the answer's body."""
    if job.upload:
        return _upload(session, job)
    if job.stream:
        return _download(session, job)
    if job.payload is not None:
        return _post(session, job)
    return _get(session, job)


def _get(session: Any, job: Job) -> Callable[[], int]:
    get, urls = session.get, job.urls()
    if job.headers:
        headers = job.headers
        return lambda: len(get(next(urls), headers=headers).content)
    return lambda: len(get(next(urls)).content)


def _post(session: Any, job: Job) -> Callable[[], int]:
    post, url, payload = session.post, job.url, job.payload
    return lambda: len(post(url, json=payload).content)


def _download(session: Any, job: Job) -> Callable[[], int]:
    def request() -> int:
        with session.get(job.url, stream=True) as response:
            return sum(map(len, response.iter_content(CHUNK)))

    return request


def _upload(session: Any, job: Job) -> Callable[[], int]:
    path = Path(job.upload or "")

    def request() -> int:
        with path.open("rb") as body:
            return len(session.post(job.url, data=body).content)

    return request
