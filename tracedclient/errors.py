"""The errors of our own, each a subclass of the requests exception that callers catch already.

RequestException (requests)
 ├─ ConnectionError (requests)
 │   ├─ CircuitOpen        the origin fails too often and is left alone for a while
 │   └─ SSLError (requests)
 │       └─ UnusableTLSFile  a CA bundle or a certificate is not there, or not what it should be
 ├─ Timeout (requests)
 │   └─ DeadlineExceeded   the call's total timeout has passed
 ├─ InvalidURL (requests)
 │   └─ AddressRefused     the URL, or a redirect, leads to an address that is not to be used
 ├─ ClientClosed           the client was closed, and the call was to sleep until another attempt
 └─ ResponseTooLarge       the body is larger than the client takes

Everything else that ``do()`` raises is requests' own: ``ConnectionError``, ``ConnectTimeout``,
``ReadTimeout``, ``SSLError``, ``ProxyError``, ``TooManyRedirects``, ``InvalidURL``, … . With debug
on each carries its ``TraceResult`` as ``error.trace``, and on Python 3.11 and later a note with the
trace id and the verdict.
"""

from __future__ import annotations

from typing import Any

import requests


class CircuitOpen(requests.ConnectionError):
    """The circuit breaker lets no call to this origin go now; not a byte was sent, no name asked.

    ``retry_after`` is the seconds until a call may go.
    """

    def __init__(self, *args: Any, retry_after: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.retry_after = retry_after


class DeadlineExceeded(requests.Timeout):
    """The total timeout of the call has passed, its retries and the sleeps between them included."""


class AddressRefused(requests.exceptions.InvalidURL):
    """The client's ``AddressPolicy`` has no connection go where the URL, or a redirect, leads; not a
    byte was sent.
    """


class UnusableTLSFile(requests.exceptions.SSLError):
    """A CA bundle, certificate or key cannot be read, or is no PEM; not a byte was sent."""


class ClientClosed(requests.RequestException):
    """The client was closed, or the process ended, before or while the call slept between two attempts."""


class ResponseTooLarge(requests.RequestException):
    """The decoded body is larger than the client takes (``max_response_bytes``), or expands beyond
    reason.
    """
