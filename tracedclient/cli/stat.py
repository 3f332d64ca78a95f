"""``tracedclient stat URL``: make a request, or several, and show where the time went.

Exit codes: 0 an HTTP answer came, whatever its status; 1 a request failed (what is known of it is
shown all the same); 2 wrong usage, or a file that cannot be read or written; 4 an SLO is violated.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, NoReturn

import requests

from tracedclient.cli import body
from tracedclient.cli.slo import violations
from tracedclient.cli.stat_arguments import add_arguments, check_together
from tracedclient.cli.stat_output import Output
from tracedclient.cli.terminal import escape
from tracedclient.client import HTTPClient
from tracedclient.measure import Measured, measure, whole_call
from tracedclient.retry import RetryPolicy

if TYPE_CHECKING:
    import argparse

    from tracedclient.transport import TracedResponse

FAILED, USAGE, SLO_VIOLATED = 1, 2, 4

_FORM = "application/x-www-form-urlencoded"


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``stat``."""
    add_arguments(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Make the requests and print them; return the exit code."""
    check_together(options)
    output = Output(options)
    with _client(options) as client, warnings.catch_warnings():
        # urllib3 warns about what -k asks for.
        warnings.filterwarnings("ignore", "Unverified HTTPS request")
        try:
            for _ in range(options.number):
                output.add(_measured(client, options))
        except KeyboardInterrupt as error:
            output.interrupted(getattr(error, "trace", None))
            raise
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            output.complain(f"cannot write {options.output!r}: {error.strerror or error}")
            return USAGE
    output.end()
    return _exit_code(output, options)


def _exit_code(output: Output, options: argparse.Namespace) -> int:
    if output.failures:
        return FAILED
    if any(violations(trace, options.slo) for trace in output.traces):
        return SLO_VIOLATED
    return 0


def _client(options: argparse.Namespace) -> HTTPClient:
    try:
        return HTTPClient(
            sinks=(),
            verify=not options.insecure,
            cert=options.cert,
            family=options.family,
            timeout=whole_call(options.timeout),
            retry=RetryPolicy(max_attempts=options.retries + 1),
        )
    except ValueError as error:
        _refuse(options.parser, error)


def _refuse(parser: argparse.ArgumentParser, error: ValueError) -> NoReturn:
    parser.error(escape(str(error)))


def _measured(client: HTTPClient, options: argparse.Namespace) -> Measured:
    deadline = time.monotonic() + options.timeout
    try:
        measured = measure(
            client,
            _request(options),
            trace_id=options.trace_id,
            allow_redirects=options.location,
            stream=options.output is not None,
        )
    except ValueError as error:
        # Nothing was sent: a URL, a method or a header was refused.
        _refuse(options.parser, error)
    if options.output is None or measured.response is None:
        return measured
    return _saved(measured.response, options.output, deadline)


def _saved(response: TracedResponse, path: str, deadline: float) -> Measured:
    failure: Exception | None = None
    try:
        body.save(response, path, deadline)
    except requests.RequestException as error:
        failure = error
    except KeyboardInterrupt as error:
        error.trace = response.trace  # type: ignore[attr-defined]
        raise
    return Measured(response.trace, response, failure)


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
