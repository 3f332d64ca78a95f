"""The errors of our own, each a subclass of the requests exception that callers catch already.

RequestException (requests)
 └─ Timeout (requests)
     └─ DeadlineExceeded   the call's total timeout has passed

Everything else that ``do()`` raises is requests' own: ``ConnectionError``, ``ConnectTimeout``,
``ReadTimeout``, ``SSLError``, ``ProxyError``, ``TooManyRedirects``, ``InvalidURL``, … . With debug
on each carries its ``TraceResult`` as ``error.trace``, and on Python 3.11 and later a note with the
trace id and the verdict.
"""

from __future__ import annotations

import requests


class DeadlineExceeded(requests.Timeout):
    """The total timeout of the call has passed, its retries and the sleeps between them included."""
