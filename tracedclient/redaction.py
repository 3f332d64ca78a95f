"""What of a request may be shown. Facts pass through here when they enter a trace, so that no sink,
no log line and no exception text behind it can leak what never got in.

By allow-list: a URL keeps its scheme, host, port, path and the *names* of its query; an exception
keeps its class, and its text only where it is known to speak of the network alone.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

REDACTED = "REDACTED"

_MAX_URL = 2048
_MAX_TEXT = 512
_MAX_CAUSES = 32

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+")
_QUERY = re.compile(r"\?[^\s'\"<>)]+")
_USERINFO = re.compile(r"[^\s/@'\"]+:[^\s/@'\"]*@")
_CREDENTIAL = re.compile(r"(?i)\b(authorization|cookie|api-key|token|bearer|basic)\b.*", re.DOTALL)
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_EAI_NAMES = {
    getattr(socket, name): name for name in sorted(dir(socket), reverse=True) if name[:4] == "EAI_"
}

# Exceptions that are no OSError and whose own text quotes what the peer sent.
_SENTENCES = {
    "BadStatusLine": "the peer's first line is no HTTP status line",
    "UnknownProtocol": "the peer answered with an unknown HTTP version",
    "InvalidChunkLength": "the peer sent an invalid chunk length",
    "LineTooLong": "the peer sent a line longer than 65,536 bytes",
    "IncompleteRead": "the connection ended before the body did",
    "DecodeError": "the body could not be decoded as its Content-Encoding says",
    "ResponseNotReady": "the connection had no answer to read",
    "EmptyPoolError": "no connection of the pool became free in time",
    "ClosedPoolError": "the connection pool is closed",
    "TooManyRedirects": "too many redirects",
    "TooManyInterimResponses": "the peer sent too many 1xx answers",
    "InvalidURL": "the URL is not valid",
    "MissingSchema": "the URL has no scheme such as https://",
    "InvalidSchema": "the URL's scheme is not http or https",
    "InvalidHeader": "a request header is not valid",
    "InvalidProxyURL": "the proxy's URL is not valid",
    "DeadlineExceeded": "the total timeout of the call has passed",
}


def redact_url(url: str) -> str:
    """Return ``url`` without userinfo, query values and fragment, at most 2,048 characters.

    The names of the query stay, because they tell one call from another (OpenTelemetry's rule for
    ``url.full``, applied to every value instead of a list of known secrets).
    """
    url = printable(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        return _cut(_scrub(url.partition("?")[0]), _MAX_URL)
    userinfo, at, address = parts.netloc.rpartition("@")
    netloc = f"{REDACTED}@{address}" if at and userinfo else parts.netloc
    return _cut(urlunsplit((parts.scheme, netloc, parts.path, _names(parts.query), "")), _MAX_URL)


def _names(query: str) -> str:
    def redact(pair: str) -> str:
        name, equals, _ = pair.partition("=")
        # A query without "=" is all value: signed URLs and one-time links look like that.
        return f"{name}={REDACTED}" if equals else REDACTED

    return "&".join(redact(pair) for pair in query.split("&")) if query else ""


def redact_text(text: str) -> str:
    """Return ``text`` on one line, its URLs redacted and all that follows a credential's name cut.

    A second net, below the choice of which texts are shown at all. At most 512 characters.
    """
    return _cut(_scrub(_URL.sub(lambda match: redact_url(match[0]), printable(text))), _MAX_TEXT)


def _scrub(text: str) -> str:
    text = _USERINFO.sub(f"{REDACTED}@", text)
    text = _QUERY.sub(lambda match: f"?{_names(match[0][1:])}", text)
    return _CREDENTIAL.sub(lambda match: f"{match[1]} {REDACTED}", text)


def printable(text: str) -> str:
    r"""Return ``text`` with control characters and lone surrogates as ``\xNN`` / ``\uNNNN``.

    They forge log lines, break terminals, and some JSON encoders drop the whole line for them.
    """
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def describe_error(error: BaseException) -> str | None:
    """Say in one line what went wrong, from the network's own error behind ``error``.

    ``None`` when nothing behind it is known to be free of what the caller or the peer wrote.
    """
    for cause in causes(error):
        if isinstance(cause, OSError) and not type(cause).__module__.startswith("requests"):
            return redact_text(_describe_os_error(cause))
    for cause in reversed(list(causes(error))):
        for kind in type(cause).__mro__:
            if kind.__name__ in _SENTENCES:
                return _SENTENCES[kind.__name__]
    return None


def _describe_os_error(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"CERTIFICATE_VERIFY_FAILED: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return str(error.reason or error.strerror or error)
    if isinstance(error, socket.gaierror):
        name = _EAI_NAMES.get(error.errno or 0, f"EAI {error.errno}")
        return f"{name}: {error.strerror}"
    if error.errno is not None:
        return f"{errno.errorcode.get(error.errno, error.errno)}: {error.strerror}"
    return str(error) or type(error).__name__


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and what lies behind it, outermost first.

    requests and urllib3 wrap an error as argument, as ``reason``, as cause or as context. A
    suppressed context is left out, and so is what the caller was handling when it called us: it is
    behind the first error of the operating system.
    """
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue and len(seen) < _MAX_CAUSES:
        cause = queue.pop(0)
        if cause is None or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        queue.extend(arg for arg in cause.args if isinstance(arg, BaseException))
        queue.append(cause.__cause__)
        if not cause.__suppress_context__:
            queue.append(cause.__context__)
