"""One measured request: its trace, whatever became of it.

Everything is measured on the connection of the request itself. Nothing here needs ICMP, a raw
socket or a tool beside Python, so that it works inside of a serverless function too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import requests

from tracedclient.client import HTTPClient
from tracedclient.retry import RetryPolicy
from tracedclient.timeout import Timeout

if TYPE_CHECKING:
    from tracedclient.trace.model import TraceResult
    from tracedclient.transport import TracedResponse

_MAX_CONNECT_SECONDS = 3.0
"""For each address, so that a dead one leaves time for the next."""


class Measured(NamedTuple):
    """How a request went: an answer, or what was raised instead of one, and its trace."""

    trace: TraceResult | None
    """``None`` while a streamed body has not been read."""
    response: TracedResponse | None
    error: Exception | None


def stat(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    data: Any = None,
    timeout: float = 10.0,
    verify: bool | str = True,
    allow_redirects: bool = False,
) -> TraceResult:
    """Make one request on a new connection and return its trace: where the time went, and why.

    data             the body: bytes, a str, a form, a file, an iterable of bytes.
    timeout          seconds for the whole call, its redirects included.
    verify           as in requests; ``False`` warns as there.
    allow_redirects  follow them; each is an exchange of its own in the trace.

    A request that fails raises nothing: the trace has the ``outcome`` and how far it came. There
    are no retries, and no log line. Proxy and CA variables of the environment count.

    Raises ``ValueError`` or ``TypeError`` for an argument that cannot be meant, naming it.
    """
    if not isinstance(url, str):
        raise TypeError(f"url must be a str, not {type(url).__name__}")
    if headers is not None and not isinstance(headers, Mapping):
        raise TypeError(f"headers must be a mapping of names to values, not {headers!r}")
    request = requests.Request(method, url, headers=dict(headers or {}), data=data)
    with HTTPClient(
        sinks=(), verify=verify, timeout=whole_call(timeout), retry=RetryPolicy(max_attempts=1)
    ) as client:
        trace = measure(client, request, allow_redirects=allow_redirects).trace
    assert trace is not None
    return trace


def measure(client: HTTPClient, request: requests.Request, **options: Any) -> Measured:
    """Make ``request``, with the ``options`` of ``HTTPClient.do``.

    Raises ``ValueError`` or ``TypeError`` only when nothing was sent because of an argument that
    cannot be meant.
    """
    try:
        response = client.do(request, debug=True, **options)
    except (requests.RequestException, ValueError) as error:
        trace: TraceResult | None = getattr(error, "trace", None)
        refused = isinstance(error, ValueError) and not (trace and _went_out(trace))
        if trace is None or refused:
            raise
        return Measured(trace, None, error)
    return Measured(response.trace, response, None)


def whole_call(seconds: float) -> Timeout:
    """Return the limits of a call that may take ``seconds``.

    Raises ``ValueError`` or ``TypeError`` when that is no number of seconds above 0.
    """
    total = Timeout(total=seconds).total
    if total is None:
        raise TypeError("timeout must be a number of seconds, not None")
    return Timeout(connect=min(total, _MAX_CONNECT_SECONDS), read=total, total=total)


def _went_out(trace: TraceResult) -> bool:
    return any(attempt.exchanges for attempt in trace.attempts)
