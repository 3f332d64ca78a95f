"""``tracedclient stat URL``: make one request and show where its time went.

Exit codes: 0 an HTTP answer came, whatever its status; 1 the request failed (what is known of it
is shown all the same); 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from tracedclient.cli.terminal import Style, add_color_argument, escape, width_of
from tracedclient.cli.waterfall import render
from tracedclient.client import HTTPClient
from tracedclient.retry import RetryPolicy
from tracedclient.timeout import Timeout
from tracedclient.trace.ids import validate_trace_id
from tracedclient.trace.schema import to_json

if TYPE_CHECKING:
    from tracedclient.trace.model import TraceResult

_MAX_CONNECT_SECONDS = 3.0
"""For each address, so that a dead one leaves time for the next."""
_MAX_RETRIES = 4

_FORM = "application/x-www-form-urlencoded"


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``stat``; curl's names where curl has the same thing."""
    add = parser.add_argument
    add("url", metavar="URL", type=_url, help="without a scheme: https, or http for port 80")
    add("-X", "--request", metavar="METHOD", help="default: GET, POST with -d, HEAD with -I")
    header = "may be given several times"
    add("-H", "--header", metavar="'K: V'", type=_header, action="append", default=[], help=header)
    add("-d", "--data", metavar="DATA", type=_data, help="the body; @FILE: from a file, @-: stdin")
    add("-I", "--head", action="store_true", help="ask for the head of the answer only")
    add("-L", "--location", action="store_true", help="follow redirects")
    add("-k", "--insecure", action="store_true", help="accept any certificate")
    add(
        "--timeout", metavar="S", type=_timeout, default=10.0, help="of the whole call (default 10)"
    )
    retries = range(_MAX_RETRIES + 1)
    add("--retries", metavar="N", type=int, choices=retries, default=0, help="default: none")
    add("--json", action="store_true", help="print the trace as one line of JSON, nothing else")
    add("--trace-id", metavar="ID", type=_trace_id, help="to be sent along; default: a new one")
    add_color_argument(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Make the request and print it; return the exit code."""
    with _client(options) as client, warnings.catch_warnings():
        # urllib3 warns about what -k asks for.
        warnings.filterwarnings("ignore", "Unverified HTTPS request")
        try:
            response = client.do(
                _request(options),
                trace_id=options.trace_id,
                debug=True,
                allow_redirects=options.location,
            )
        except (requests.RequestException, ValueError) as error:
            return _failed(error, options)
        except KeyboardInterrupt as error:
            _show(getattr(error, "trace", None), options)
            raise
    _show(response.trace, options)
    if not options.json:
        sys.stdout.write(f"\n{_status_line(response)}\n")
    return 0


def _client(options: argparse.Namespace) -> HTTPClient:
    total = options.timeout
    return HTTPClient(
        sinks=(),
        verify=not options.insecure,
        timeout=Timeout(connect=min(total, _MAX_CONNECT_SECONDS), read=total, total=total),
        retry=RetryPolicy(max_attempts=options.retries + 1),
    )


def _request(options: argparse.Namespace) -> requests.Request:
    headers: dict[str, str] = {}
    for name, value in options.header:
        # A field that is given twice is one list (RFC 9110 §5.3).
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if options.data is not None and "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = _FORM
    return requests.Request(_method(options), options.url, headers=headers, data=options.data)


def _method(options: argparse.Namespace) -> str:
    if options.request:
        return str(options.request)
    if options.head:
        return "HEAD"
    return "GET" if options.data is None else "POST"


def _failed(error: Exception, options: argparse.Namespace) -> int:
    trace: TraceResult | None = getattr(error, "trace", None)
    sent = trace is not None and any(attempt.exchanges for attempt in trace.attempts)
    if isinstance(error, ValueError) and not sent:
        # Nothing was sent: a URL, a method or a header was refused.
        options.parser.error(escape(str(error)))
    _show(trace, options)
    if trace is None:
        sys.stderr.write(f"tracedclient: {escape(str(error))}\n")
    return 1


def _show(trace: TraceResult | None, options: argparse.Namespace) -> None:
    if trace is None:
        return
    if options.json:
        sys.stdout.write(to_json(trace).decode() + "\n")
        return
    style = Style.detect(sys.stdout, options.color)
    sys.stdout.write(render(trace, width=width_of(sys.stdout), style=style) + "\n")


def _status_line(response: requests.Response) -> str:
    version = {10: "1.0", 11: "1.1"}.get(response.raw.version, "?")
    unicode = Style.detect(sys.stdout).unicode
    return f"HTTP/{version} {response.status_code} {escape(response.reason, unicode=unicode)}"


# --- what the arguments may be --------------------------------------------------------------------


def _url(text: str) -> str:
    url = text if "://" in text else f"//{text}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a URL: {error}") from None
    if not parts.scheme:
        url = f"{'http' if port == 80 else 'https'}:{url}"
    elif parts.scheme not in ("http", "https"):
        raise argparse.ArgumentTypeError(f"the scheme must be http or https, not {parts.scheme!r}")
    if not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} names no host")
    return url


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise argparse.ArgumentTypeError(f"a header is 'Name: value', not {text!r}")
    return name.strip(), value.strip()


def _data(text: str) -> bytes:
    if not text.startswith("@"):
        return text.encode()
    if text == "@-":
        return sys.stdin.buffer.read()
    try:
        return Path(text[1:]).read_bytes()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"cannot read {text[1:]!r}: {error.strerror}") from None


def _timeout(text: str) -> float:
    try:
        return float(Timeout(total=float(text)).total or 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0") from None


def _trace_id(text: str) -> str:
    try:
        return validate_trace_id(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
