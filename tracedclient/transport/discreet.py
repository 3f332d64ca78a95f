"""What requests and urllib3 say of a request, without its secrets: in the texts of their errors, in
their DEBUG log, in their one warning.

They quote the URL with its query, where many a service puts a token, and a malformed header line,
which may be a cookie. Their loggers are the process's and stay as they are; they are told less. And
an error keeps its type, its cause, its request and its answer; only its text changes.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import requests
from urllib3.exceptions import HeaderParsingError, HTTPError, RequestError
from urllib3.util.response import assert_header_parsing

from tracedclient.inflight import current_call
from tracedclient.redaction import causes, redact_url

if TYPE_CHECKING:
    from http.client import HTTPMessage

logger = logging.getLogger("tracedclient")


def redact_error(error: BaseException, *urls: Any) -> None:
    """Redact ``urls`` wherever ``error``, or what it was raised from, has them in its text."""
    known = [_text(url) for url in urls if url]
    for cause in causes(error):
        if isinstance(cause, RequestError) and cause.url:
            # Its text is made anew from this one when it is pickled.
            known.append(cause.url)
            cause.url = redact_url(cause.url)
        if isinstance(cause, (requests.RequestException, HTTPError)):
            cause.args = tuple(_without(known, arg) for arg in cause.args)


def _text(url: Any) -> str:
    text = url.decode("utf-8", "replace") if isinstance(url, bytes) else str(url)
    return text.strip()


def _without(urls: list[str], arg: Any) -> Any:
    if not isinstance(arg, str):
        return arg
    # The whole of a URL before a part of it.
    for url in sorted(urls, key=len, reverse=True):
        for form in (url, repr(url)[1:-1]):
            arg = arg.replace(form, redact_url(url))
    return arg


def redact_target(target: str) -> str:
    """Return the target of a request line as urllib3's log and errors may show it."""
    return redact_url(target) if "?" in target or ";" in target else target


def settle_malformed(headers: HTTPMessage) -> None:
    """Say that an answer's head has lines that are no headers, and not what stands in them.

    Afterwards ``headers`` are without them, and urllib3 finds nothing to quote in a warning.
    """
    if not (headers.defects or headers.get_payload()):
        return
    try:
        assert_header_parsing(headers)
    except HeaderParsingError:
        call = current_call.get()
        logger.warning(
            "the answer to the call %s has lines in its head that are no headers; "
            "they, and the headers behind them, are left out",
            call.trace_id if call is not None else "(no id)",
        )
    headers.defects = []
    headers.set_payload("")
