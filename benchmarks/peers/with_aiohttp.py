"""aiohttp: asyncio, and a parser in C."""

from __future__ import annotations

import asyncio
import ssl
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

from benchmarks.client import Client
from benchmarks.job import CHUNK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import SimpleNamespace

    from benchmarks.job import Job

_HOOKS = (
    "on_request_start",
    "on_request_headers_sent",
    "on_request_end",
    "on_connection_reuseconn",
    "on_connection_create_start",
    "on_connection_create_end",
    "on_response_chunk_received",
)


def session(job: Job) -> Client:
    """A session; one request after the other."""
    return _client(job, [])


def session_with_trace_config(job: Job) -> Client:
    """The same with a hook for each of seven events, which does nothing but be called."""
    called: set[str] = set()
    config = aiohttp.TraceConfig()
    for name in _HOOKS:
        getattr(config, name).append(_hook(name, called))

    def check() -> None:
        if "on_request_end" not in called:
            raise RuntimeError(f"aiohttp called only {sorted(called)}")

    return _client(job, [config])._replace(check=check)


def _hook(name: str, called: set[str]) -> Callable[..., Awaitable[None]]:
    async def hook(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
        del session, context, params
        called.add(name)

    return hook


def _client(job: Job, configs: list[aiohttp.TraceConfig]) -> Client:
    loop = asyncio.new_event_loop()
    opened = loop.run_until_complete(_open(job, configs))
    request = _request(opened, job)

    async def many(count: int) -> int:
        size = -1
        for _ in repeat(None, count):
            size = await request()
        return size

    def close() -> None:
        loop.run_until_complete(opened.close())
        loop.close()

    return Client(lambda count: loop.run_until_complete(many(count)), close)


async def _open(job: Job, configs: list[aiohttp.TraceConfig]) -> aiohttp.ClientSession:
    context = ssl.create_default_context(cafile=job.ca_file) if job.ca_file else True
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context),
        # By default it keeps none of a server that is known by its address.
        cookie_jar=aiohttp.CookieJar(unsafe=True) if job.cookies else aiohttp.DummyCookieJar(),
        trace_configs=configs,
        trust_env=job.environment,
    )


def _request(opened: aiohttp.ClientSession, job: Job) -> Callable[[], Awaitable[int]]:
    urls, headers, payload = job.urls(), job.headers, job.payload

    async def get() -> int:
        async with opened.get(next(urls), headers=headers) as response:
            return len(await response.read())

    async def post() -> int:
        async with opened.post(next(urls), json=payload) as response:
            return len(await response.read())

    async def download() -> int:
        size = 0
        async with opened.get(job.url) as response:
            async for chunk in response.content.iter_chunked(CHUNK):
                size += len(chunk)
        return size

    async def upload() -> int:
        # aiohttp closes the file.
        body = Path(job.upload or "").open("rb")  # noqa: SIM115, ASYNC230
        async with opened.post(job.url, data=body) as response:
            return len(await response.read())

    if job.upload:
        return upload
    if job.stream:
        return download
    return get if payload is None else post
