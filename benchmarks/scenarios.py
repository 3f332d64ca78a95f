"""The kinds of requests that are measured, and which peers make them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from benchmarks import answers
from benchmarks.job import Job
from benchmarks.peers import (
    AIOHTTP,
    AIOHTTP_TRACE,
    DO_OFF,
    DO_ON,
    HTTP_CLIENT,
    HTTPX,
    HTTPX_TRACE,
    NIQUESTS,
    OTEL,
    PYCURL,
    RAW,
    REQUESTS,
    SESSION,
    URLLIB3,
)

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.serving import Server

OWN = (DO_OFF, DO_ON, SESSION)
_WITH_A_SESSION = (*OWN, REQUESTS, NIQUESTS, URLLIB3, HTTPX, AIOHTTP)
_ALL = (
    *OWN,
    REQUESTS,
    OTEL,
    NIQUESTS,
    URLLIB3,
    HTTPX,
    HTTPX_TRACE,
    AIOHTTP,
    AIOHTTP_TRACE,
    HTTP_CLIENT,
    PYCURL,
    RAW,
)


_USUAL = Job()


@dataclass(frozen=True)
class Scenario:
    """One kind of request.

    name         in one word, for the command line
    title        for the table
    label        for the picture
    note         what else a reader must know
    job          the request; its URL is the path alone
    rows         the peers that make it
    requests     in each block of each row
    connections  how many each request opens
    tls          whether it goes over https
    proxy        whether the environment names the server as a proxy
    sent         bytes of ``upload``
    by_wall      whether requests per second are compared, and not CPU time
    one_start    whether each row has one process for all of its blocks
    one_place    whether server and clients share a processor (``placing.py`` says why)
    """

    name: str
    title: str
    label: str
    rows: tuple[str, ...]
    note: str = ""
    job: Job = _USUAL
    requests: int = 400
    connections: int = 0
    tls: bool = False
    proxy: bool = False
    sent: int = 0
    by_wall: bool = False
    one_start: bool = False
    one_place: bool = False

    def job_at(self, server: Server, bundle: Path, upload: Path) -> Job:
        """Return the job with the server's URL and the files that it needs."""
        url = "http://orders.internal" if self.proxy else server.url("", tls=self.tls)
        return replace(
            self.job,
            url=url + self.job.url,
            ca_file=str(bundle) if self.tls else None,
            upload=str(upload) if self.sent else None,
        )

    def environment(self, server: Server) -> dict[str, str]:
        """Return the variables that the workers get."""
        if not self.proxy:
            return {}
        proxy = server.url("")
        names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        spared = "localhost,127.0.0.1,10.0.0.0/8,192.168.0.0/16,.svc,.cluster.local,.example.org"
        return {**dict.fromkeys(names, proxy), "no_proxy": spared, "NO_PROXY": spared}


# 1 kB as json.dumps writes it.
_ORDER = {
    "customer": "c-20417",
    "note": "leave it at the door",
    "lines": [
        {"item": f"sku-{n:04}", "quantity": n, "price": f"{n}.90", "taxed": True} for n in range(14)
    ],
}

_ONE_PLACE = (
    "Server and clients share one processor: on two, whether a client waits for the server or the "
    "server for it is chance, and doubles what the same client costs."
)

SCENARIOS = (
    Scenario("get", "keep-alive GET, 58 bytes of JSON", "keep-alive GET", _ALL, requests=1000),
    Scenario(
        "post", "POST of 1 kB JSON", "POST of 1 kB JSON", _ALL, job=Job("POST", payload=_ORDER)
    ),
    Scenario(
        "urls",
        "GET with a URL never seen before",
        "URLs never seen before",
        (*OWN, REQUESTS, URLLIB3, HTTP_CLIENT),
        "Each row asks for 100,000 different paths and queries in one process.",
        job=Job(fresh_urls=True),
        requests=12_500,
        one_start=True,
    ),
    Scenario(
        "cookies",
        "keep-alive GET, two cookies set by each answer and sent back",
        "two cookies set and sent back",
        (*OWN, REQUESTS, NIQUESTS, HTTPX, AIOHTTP, PYCURL),
        "`HTTPClient(cookies=True)`; by default it keeps none. urllib3 and http.client cannot.",
        job=Job(url=answers.COOKIES_PATH, cookies=True),
    ),
    Scenario(
        "proxy",
        "keep-alive GET through the proxy that the environment names",
        "through the environment's proxy",
        (*OWN, REQUESTS, NIQUESTS, HTTPX, AIOHTTP, PYCURL),
        "Seven patterns in NO_PROXY, none of which matches. urllib3 and http.client do not look.",
        job=Job(environment=True),
        proxy=True,
    ),
    Scenario(
        "headers",
        "keep-alive GET, 24 request headers (4 kB), 56 answer headers (8 kB)",
        "large headers",
        (*_WITH_A_SESSION, HTTP_CLIENT, PYCURL),
        job=Job(
            url=answers.LARGE_PATH,
            headers={f"X-Request-{n:02}": f"{n:02}" + "v" * 150 for n in range(24)},
        ),
    ),
    Scenario(
        "tls",
        "keep-alive GET over TLS",
        "over TLS, keep-alive",
        (*_WITH_A_SESSION, HTTP_CLIENT, PYCURL),
        tls=True,
    ),
    Scenario(
        "tls-new",
        "GET on a new TLS connection each time",
        "a new TLS connection each time",
        (*_WITH_A_SESSION, HTTP_CLIENT, PYCURL),
        "requests parses the CA bundle anew for each; urllib3, httpx, aiohttp and http.client were "
        f"given one SSLContext. No peer resumes a session. {_ONE_PLACE}",
        job=Job(url=answers.CLOSE_PATH),
        requests=50,
        connections=1,
        tls=True,
        one_place=True,
    ),
    Scenario(
        "download",
        "10 MB downloaded in chunks",
        "10 MB download",
        (*_WITH_A_SESSION, HTTP_CLIENT, PYCURL, RAW),
        _ONE_PLACE,
        job=Job(url=answers.DOWNLOAD_PATH, size=answers.MEGABYTES_10, stream=True),
        requests=50,
        one_place=True,
    ),
    Scenario(
        "upload",
        "10 MB uploaded from a file",
        "10 MB upload",
        (*_WITH_A_SESSION, HTTP_CLIENT, PYCURL),
        _ONE_PLACE,
        job=Job("POST", url=answers.UPLOAD_PATH),
        requests=50,
        sent=answers.MEGABYTES_10,
        one_place=True,
    ),
    Scenario(
        "threads",
        "keep-alive GET by 32 threads that share one client",
        "32 threads, one client",
        (DO_OFF, DO_ON, REQUESTS, NIQUESTS, URLLIB3),
        "Wall time: what counts is requests per second. All peers may keep 32 connections. "
        "httpx is not here: now and then its shared pool fails with a bad file descriptor.",
        job=Job(threads=32),
        requests=1600,
        by_wall=True,
    ),
)
"""In the order of the table."""


def scenario(name: str) -> Scenario:
    """Return the scenario of that name; ``KeyError`` when there is none."""
    return {one.name: one for one in SCENARIOS}[name]
