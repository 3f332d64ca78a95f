"""What the arguments of ``tracedclient stat`` may be; the errors name the argument and the way out."""

from __future__ import annotations

import argparse
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tracedclient._version import __version__
from tracedclient.cli.slo import parse_slo
from tracedclient.cli.terminal import add_color_argument, escape
from tracedclient.cli.writable import refusal
from tracedclient.measure import whole_call
from tracedclient.trace.ids import validate_trace_id

if TYPE_CHECKING:
    from tracedclient.cli.slo import Limits

FORMATS = ("both", "waterfall", "box", "json")
_MAX_RETRIES = 4
_NOT_NAMES = ("", ".", "..")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments: curl's names, and httpstat's, where they have the same thing."""
    _add_request(parser)
    _add_connection(parser)
    _add_measurement(parser)
    _add_output(parser)


def check_together(options: argparse.Namespace) -> None:
    """Refuse options that cannot be meant together, as the parser refuses one."""
    if options.output_name:
        options.output = _file_name(options.url, options.parser)
    if options.output and options.number > 1:
        options.parser.error("argument -n: one body can be saved, not several; omit -o and -O")
    if options.output not in (None, "-") and (why := refusal(options.output)):
        # Before a request is made, which may be one that should not be made again.
        options.parser.error(escape(f"argument -o: cannot write {options.output!r}: {why}"))
    if options.output == "-" and options.format == "json":
        options.parser.error("argument -o: '-' is for the body alone; use --format box, or a FILE")


def _add_request(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the request").add_argument
    add_url = parser.add_argument
    add_url("url", metavar="URL", type=_url, help="without a scheme: https, or http for port 80")
    add("-X", "--request", metavar="METHOD", help="default: GET, POST with -d, HEAD with -I")
    header = "may be given several times"
    add("-H", "--header", metavar="'K: V'", type=_header, action="append", default=[], help=header)
    add("-d", "--data", metavar="DATA", type=_data, help="the body; @FILE: from a file, @-: stdin")
    add("-I", "--head", action="store_true", help="ask for the head of the answer only")
    add("-L", "--location", action="store_true", help="follow redirects")
    add("--trace-id", metavar="ID", type=_trace_id, help="to be sent along; default: a new one")


def _add_connection(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the connection")
    add = group.add_argument
    family = group.add_mutually_exclusive_group()
    for version, flag in ((4, "-4"), (6, "-6")):
        words = f"use IPv{version} only"
        family.add_argument(flag, dest="family", action="store_const", const=version, help=words)
    cert = "client certificate and its key, in one PEM file"
    add("-E", "--cert", metavar="FILE", type=_certificate, help=cert)
    add("-k", "--insecure", action="store_true", help="accept any certificate")
    whole = "of the whole call (default 10)"
    add("--timeout", metavar="S", type=_timeout, default=10.0, help=whole)
    retries = range(_MAX_RETRIES + 1)
    add("--retries", metavar="N", type=int, choices=retries, default=0, help="default: none")


def _add_measurement(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("the measurement").add_argument
    number = "make N requests, the first on a new connection, and compare them"
    add("-n", "--number", metavar="N", type=_number, default=1, help=number)
    slo = "limits in ms, such as total=500,dns=50; exit code 4 when a request exceeds one"
    add("--slo", metavar="LIMITS", type=_slo, default={}, help=slo)


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the output")
    add = group.add_argument
    add("--format", choices=FORMATS, default="both", help="default: both, waterfall and box")
    short = "the same as --format json: one line for each request, and nothing else"
    add("--json", dest="format", action="store_const", const="json", help=short)
    body = group.add_mutually_exclusive_group()
    save = "save the body; -: to stdout, and all else to stderr"
    body.add_argument("-o", "--output", metavar="FILE", help=save)
    named = "save the body in this directory, under the URL's last name"
    body.add_argument("-O", "--remote-name", dest="output_name", action="store_true", help=named)
    add_color_argument(parser)
    add("-v", "--version", action="version", version=f"tracedclient {__version__}")


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


def _certificate(path: str) -> str:
    try:
        # A key under a passphrase would stop the measurement to ask for it.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(path, password="")
    except OSError as error:
        raise argparse.ArgumentTypeError(
            f"{path!r} has no certificate with its key, unencrypted: {error.strerror or error}"
        ) from None
    return path


def _timeout(text: str) -> float:
    try:
        return float(whole_call(float(text)).total or 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0") from None


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of requests of 1 or more")
    return int(text)


def _slo(text: str) -> Limits:
    try:
        return parse_slo(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _trace_id(text: str) -> str:
    try:
        return validate_trace_id(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _file_name(url: str, parser: argparse.ArgumentParser) -> str:
    # As it stands there: a %2F that was decoded would lead to another directory.
    name = urlsplit(url).path.rpartition("/")[2]
    if name in _NOT_NAMES or "\0" in name:
        parser.error(f"argument -O: {url!r} does not end in the name of a file; use -o FILE")
    if Path(name).is_symlink():
        parser.error(f"argument -O: {name!r} is a link, which may lead elsewhere; use -o FILE")
    # The name of a file, even if it is the '-' that stands for stdout.
    return f"./{name}"
