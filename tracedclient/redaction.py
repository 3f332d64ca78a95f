"""What of a request may be shown. Facts pass through here when they enter a trace, so that no sink,
no log line and no exception text behind it can leak what never got in.

By allow-list: a URL keeps its scheme, host, port, path and the *names* of its query, and of the path's
parameters (``;jsessionid=…``); an exception keeps its class, and its text only where it is known to
speak of the network alone.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from functools import cache
from typing import TYPE_CHECKING

from tracedclient._pattern import pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REDACTED = "REDACTED"

_MAX_URL = 2048
_MAX_TEXT = 512
_MAX_CAUSES = 32
_MAX_HEADERS = 50
_MAX_HEADER_NAME = 64
_MAX_HEADER = 200
_WRAPPERS = frozenset({"requests", "urllib3"})

# RFC 3986, appendix B: matches anything, and unlike urlsplit raises for nothing.
_URL = pattern(r"([^:/?#]+:)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?")
# Without one of these it has neither userinfo, nor parameters, nor query, nor fragment.
_HIDES = pattern("[@;?#]")
_ADDRESS = pattern(r"(?:\[[^@\[\]]*\]|[^:@\[\]]*)(?::[0-9]+)?")

# Each takes a character once only: an error text can be long, and a peer may have written it.
_AFTER_SLASHES = pattern(r"(?<=//)[^ ]+")
_QUERY = pattern(r"\?[^ ]+")
# A path by itself, and no media type: "text/html;charset=utf-8".
_PATH = pattern(r"(?<![\w*+.-])/[^ ?]+")
_UP_TO_AT = pattern(r"[^ /@]+@?")
# "Basic Constraints of CA cert not marked critical" is what Python 3.13 says of many a private CA.
_CREDENTIAL = pattern(
    r"(?<![a-z])(authorization|cookie|api[-_]?key|token|secret|password|bearer|"
    r"basic(?! constraints))(?![a-z]).*",
    re.DOTALL | re.IGNORECASE,
)
_UNSAFE = pattern("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

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
    "UnrewindableBodyError": "the body cannot be sent again: its file has changed, or does not go back",
    "TooManyRedirects": "too many redirects",
    "TooManyInterimResponses": "the peer sent too many 1xx answers",
    "InvalidURL": "the URL is not valid",
    "MissingSchema": "the URL has no scheme such as https://",
    "InvalidSchema": "the URL's scheme is not http or https",
    "InvalidHeader": "a request header is not valid",
    "InvalidProxyURL": "the proxy's URL is not valid",
    "ResponseTooLarge": "the decoded body is larger than the client takes",
    "RedirectRefused": "the redirect leads where the request must not go",
    "HeadCutOff": "the connection ended in the middle of the answer's head",
    "TooLargeHead": "the peer sent a head without end",
    "InterimResponseRefused": "a hook refused a 1xx answer",
    "HTTPException": "the peer's answer is not valid HTTP",
    "DeadlineExceeded": "the total timeout of the call has passed",
}

_OURS = frozenset({"AddressRefused"})
"""Exceptions whose text is of this package's own making, from hosts and addresses only."""


# They say how a message is carried, kept and made. None names a person, a session or a place.
HARMLESS_HEADERS = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "accept-ranges",
        "age",
        "allow",
        "cache-control",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "expect",
        "expires",
        "keep-alive",
        "last-modified",
        "pragma",
        "retry-after",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "vary",
        "via",
    ]
)
"""Fields that are known to hold no secret, in lower case."""


def redact_url(url: str) -> str:
    """Return ``url`` without userinfo, fragment, and the values of its query and of its path's
    parameters, at most 2,048 characters.

    The names of the query stay, because they tell one call from another (OpenTelemetry's rule for
    ``url.full``, applied to every value instead of a list of known secrets).
    """
    url = printable(url)
    if not _HIDES.search(url):
        return _cut(url, _MAX_URL)
    scheme, authority, path, query = _parts(url)
    userinfo, _, address = (authority or "").rpartition("@")
    if "@" in url and (authority is None or not _ADDRESS.fullmatch(address)):
        # A raw / ? or # in a password ends the authority early, and the rest of it looks like a
        # path: nothing after the scheme can be trusted.
        return REDACTED if authority is None else f"{scheme}//{REDACTED}@"
    host = "" if authority is None else f"//{REDACTED}@{address}" if userinfo else f"//{address}"
    names = f"?{_names(query)}" if query else ""
    path = _without_userinfo(_without_parameters(path))
    return _cut(f"{scheme}{host}{path}{names}", _MAX_URL)


def _parts(url: str) -> tuple[str, str | None, str, str]:
    match = _URL.match(url)
    assert match is not None
    return match[1] or "", match[2], match[3], match[4] or ""


def _names(query: str) -> str:
    return "&".join(map(_name, query.split("&")))


def _name(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    # One without "=" is all value: signed URLs and one-time links look like that.
    return f"{name}={REDACTED}" if equals else REDACTED


def _without_parameters(path: str) -> str:
    return "/".join(map(_segment, path.split("/"))) if ";" in path else path


def _segment(segment: str) -> str:
    # RFC 3986, section 3.3. Beside an @, it may as well be a password with a ; in it.
    name, *parameters = segment.split(";")
    return REDACTED if parameters and "@" in segment else ";".join([name, *map(_name, parameters)])


def redact_headers(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return header fields by their lower-case names, at most 50 of them.

    The values of those that are known to hold no secret are shown, cut to 200 characters; all
    others are ``REDACTED``. A field that comes more than once has its values in one, as RFC 9110,
    section 5.3 joins them.
    """
    shown: dict[str, str] = {}
    for name, value in fields:
        key = _cut(printable(name.lower()), _MAX_HEADER_NAME)
        if key not in shown and len(shown) == _MAX_HEADERS:
            continue
        seen = redact_text(value) if key in HARMLESS_HEADERS else REDACTED
        shown[key] = _cut(f"{shown[key]}, {seen}" if key in shown else seen, _MAX_HEADER)
    return shown


def redact_text(text: str) -> str:
    """Return ``text`` on one line, its URLs redacted and all that follows a credential's name cut.

    A second net, below the choice of which texts are shown at all. At most 512 characters.
    """
    text = _AFTER_SLASHES.sub(lambda match: redact_url(f"//{match[0]}")[2:], printable(text))
    text = _QUERY.sub(lambda match: f"?{_names(match[0][1:].partition('#')[0])}", text)
    if ";" in text:
        text = _PATH.sub(lambda match: _without_parameters(match[0]), text)
    text = _CREDENTIAL.sub(lambda match: f"{match[1]} {REDACTED}", _without_userinfo(text))
    return _cut(text, _MAX_TEXT)


def _without_userinfo(text: str) -> str:
    return _UP_TO_AT.sub(_redact_userinfo, text) if "@" in text else text


def _redact_userinfo(match: re.Match[str]) -> str:
    return f"{REDACTED}@" if match[0].endswith("@") and ":" in match[0] else match[0]


def printable(text: str) -> str:
    r"""Return ``text`` with control characters and lone surrogates as ``\xNN`` / ``\uNNNN``.

    They forge log lines, break terminals, and some JSON encoders drop the whole line for them.
    """
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


@cache
def _eai_names() -> dict[int, str]:
    names = sorted((name for name in dir(socket) if name[:4] == "EAI_"), reverse=True)
    return {getattr(socket, name): name for name in names}


def eai_name(error: socket.gaierror) -> str:
    """Return the resolver's name for ``error``: ``EAI_NONAME``, ``EAI_AGAIN``, …."""
    return _eai_names().get(error.errno or 0, f"EAI {error.errno}")


def describe_error(error: BaseException) -> str | None:
    """Say in one line what went wrong, from the network's own error behind ``error``.

    ``None`` when nothing behind it is known to be free of what the caller or the peer wrote.
    """
    try:
        return _described(error)
    except Exception:  # noqa: BLE001 - the text of somebody's own exception may be one more
        return None


def _described(error: BaseException) -> str | None:
    if type(error).__name__ in _OURS:
        return redact_text(str(error))
    if type(error).__name__ in _SENTENCES:
        return _SENTENCES[type(error).__name__]
    found = list(causes(error))
    for cause in found:
        if isinstance(cause, OSError) and not _is_wrapper(cause):
            return redact_text(_describe_os_error(cause))
    return next(filter(None, map(_sentence, reversed(found))), None)


def _sentence(error: BaseException) -> str | None:
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((_SENTENCES[name] for name in names if name in _SENTENCES), None)


def _describe_os_error(error: OSError) -> str:
    # Raised by Python code and not by OpenSSL, these two lack verify_message and reason.
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"CERTIFICATE_VERIFY_FAILED: {getattr(error, 'verify_message', error)}"
    if isinstance(error, ssl.SSLError):
        return str(getattr(error, "reason", None) or error.strerror or error)
    if isinstance(error, socket.gaierror):
        name = eai_name(error)
        return f"{name}: {error.strerror}"
    if error.errno is not None:
        return f"{errno.errorcode.get(error.errno, error.errno)}: {error.strerror}"
    return str(error) or type(error).__name__


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and what lies behind it, outermost first.

    requests and urllib3 wrap an error as argument, as cause or as context. Behind another error's
    context lies what the caller was handling when it called us: that is left out, or a fallback
    for a failed call would be judged by that call's failure.
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
        if _is_wrapper(cause) and not cause.__suppress_context__:
            queue.append(cause.__context__)


def _is_wrapper(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in _WRAPPERS
