"""The peers: a row's name → where its client is opened, and in which environment.

Each module is imported only in the process of its own row, so that none pays for another, and so
that a peer that replaces or patches a library (niquests, OpenTelemetry) does it to itself alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.client import Client
    from benchmarks.job import Job

DO_OFF = "HTTPClient.do, debug off"
DO_ON = "HTTPClient.do, debug on"
SESSION = "TracedSession"
REQUESTS = "requests"
OTEL = "requests + OpenTelemetry"
NIQUESTS = "niquests"
URLLIB3 = "urllib3"
HTTPX = "httpx"
HTTPX_TRACE = "httpx + trace"
AIOHTTP = "aiohttp"
AIOHTTP_TRACE = "aiohttp + TraceConfig"
HTTP_CLIENT = "http.client"
PYCURL = "pycurl"
RAW = "raw socket"


class Peer(NamedTuple):
    """Where a row's client comes from.

    opener       "module:function" in this package; the function takes a ``Job``
    libraries    distributions whose versions belong under the table
    environment  name of the environment of its own that it needs; "" for none
    """

    opener: str
    libraries: tuple[str, ...] = ()
    environment: str = ""

    def open(self, job: Job) -> Client:
        """Import the peer and open its client."""
        module, _, function = self.opener.partition(":")
        opener = getattr(import_module(f"{__name__}.{module}"), function)
        return cast("Callable[[Job], Client]", opener)(job)


PEERS = {
    DO_OFF: Peer("own:do_debug_off", ("requests", "urllib3", "tenacity", "msgspec")),
    DO_ON: Peer("own:do_debug_on", ("structlog", "python-json-logger")),
    SESSION: Peer("own:traced_session"),
    REQUESTS: Peer("with_requests:session", ("requests", "urllib3")),
    OTEL: Peer(
        "with_opentelemetry:session",
        ("opentelemetry-sdk", "opentelemetry-instrumentation-requests"),
    ),
    NIQUESTS: Peer("with_niquests:session", ("niquests", "urllib3-future"), "niquests"),
    URLLIB3: Peer("with_urllib3:pool_manager", ("urllib3",)),
    HTTPX: Peer("with_httpx:client", ("httpx", "httpcore", "h11")),
    HTTPX_TRACE: Peer("with_httpx:client_with_trace"),
    AIOHTTP: Peer("with_aiohttp:session", ("aiohttp", "yarl")),
    AIOHTTP_TRACE: Peer("with_aiohttp:session_with_trace_config"),
    HTTP_CLIENT: Peer("standard:connection"),
    PYCURL: Peer("with_pycurl:handle", ("pycurl",), "pycurl"),
    RAW: Peer("standard:raw_socket"),
}
