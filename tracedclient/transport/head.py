"""Heads of messages, fast: a usual request → its bytes, the bytes of a usual answer → its head.

http.client and urllib3 do both for every request there is, line by line and call by call. Nearly all
requests and answers of a service are plain, and for those the same can be had with one regular
expression. What is not plain is none of this module's business: it returns ``None``, and theirs do
it. ``tests/transport/test_head.py`` holds the two to the same bytes and the same answers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

# Its own name for it: there is no public one.
from urllib3.connection import _get_default_user_agent as default_user_agent
from urllib3.util import SKIP_HEADER

from tracedclient import httptrace
from tracedclient._pattern import pattern
from tracedclient.redaction import HARMLESS_HEADERS
from tracedclient.transport.content import CODINGS, Unplain
from tracedclient.transport.headers import by_key, joined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracedclient.transport.begun import Meter

    _Keyed = tuple[str, tuple[str, str]]

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110 §5.6.2

# --- requests -----------------------------------------------------------------------------------

_METHOD = pattern(r"[A-Z]+")
_NAME = pattern(_TOKEN)
# What urllib3 leaves as it is; percent escapes only as it writes them.
_PLAIN = r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?]*"
_TARGET = pattern(rf"/{_PLAIN}(?:%[0-9A-F]{{2}}{_PLAIN})*")
_MAX_FIELDS = 1024

_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
"""Methods for which urllib3 does not announce an empty body; nor do we."""

_UNUSUAL = frozenset({"transfer-encoding", "expect", "upgrade", "te"})
"""Fields with which there is more to do than to write them down."""


@lru_cache(maxsize=_MAX_FIELDS)
def _start(name: Any) -> str | None:
    """What stands before the value of a field called ``name``; ``None`` when that is unusual."""
    if type(name) is not str or not _NAME.fullmatch(name) or name.lower() in _UNUSUAL:
        return None
    return f"\r\n{name}: "


def request_head(
    method: str,
    target: str,
    host: str,
    headers: Mapping[str, Any],
    body: bytes | None,
    *,
    origin: str = "",
) -> bytes | None:
    """Return what http.client and urllib3 would send ahead of ``body``; ``None`` for leave it to them.

    ``host`` is the value of the ``Host`` field for a request that brings none; ``origin`` goes before
    ``target`` for a proxy.
    """
    if not ((method in _BODILESS or _METHOD.fullmatch(method)) and _TARGET.fullmatch(target)):
        return None
    named = by_key(headers)
    if named is None:
        return None
    if body is None and method not in _BODILESS and "content-length" not in named:
        return None
    fields = _fields(named)
    if fields is None:
        return None
    # Those that http.client and urllib3 add, in their order.
    added = "" if "host" in named else f"\r\nHost: {host}"
    if "accept-encoding" not in named:
        added += "\r\nAccept-Encoding: identity"
    if body is not None and "content-length" not in named:
        added += f"\r\nContent-Length: {len(body)}"
    if "user-agent" not in named:
        added += f"\r\nUser-Agent: {default_user_agent()}"
    return f"{method} {origin}{target} HTTP/1.1{added}{fields}\r\n\r\n".encode("ascii")


def _fields(named: Mapping[str, tuple[Any, Any]]) -> str | None:
    """The lines of the fields in ``named``; ``None`` when one is unusual."""
    if "connection" in named and named["connection"][1] != "keep-alive":
        return None
    fields = values = ""
    for name, value in named.values():
        start = _start(name)
        if start is None or type(value) is not str:
            return None
        fields = f"{fields}{start}{value}"
        values += value
    # One look at all of them: only a value can have a character that may not be, or be urllib3's
    # word for a field that is to be left out.
    is_usual = values.isascii() and values.isprintable() and SKIP_HEADER not in values
    return fields if is_usual else None


# --- answers ------------------------------------------------------------------------------------

END = b"\r\n\r\n"
MAX_HEAD = 32 * 1024
"""Bytes of a head that is still usual."""
_MAX_HEADERS = 90  # http.client refuses more than a hundred

_STATUS_LINE = pattern(r"HTTP/1\.1 ([2-5][0-9][0-9])(?: ([ -~]*))?")
_MAX_STATUS_LINES = 64
_MAX_LENGTH = 64
"""Characters of a status line, or of a field's name, that are worth remembering."""
_MAX_DIGITS = 15

_MAX_KNOWN_FIELDS = 256
_MAX_KNOWN_LINE = 100
_known_fields: dict[str, _Keyed] = {}
"""Lines that came before, and come again with nearly every answer; none that may hold a secret."""

_CLOSES = {"keep-alive": False, "close": True}

_ONCE = frozenset(
    {"content-length", "connection", "keep-alive", "transfer-encoding", "content-encoding"}
)
"""Fields that decide about the rest, of which one is enough."""


class Head(NamedTuple):
    """A usual answer's."""

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    """As they were sent."""
    named: dict[str, tuple[str, str]]
    """The same by their names in lower case, those of one name joined."""
    keep_alive: str | None
    """The value of ``Keep-Alive``."""
    length: int | None
    """Bytes of the body; ``None`` when it comes in chunks."""
    size: int
    """Bytes of the head itself."""
    closes: bool
    """Whether the connection ends with this answer."""
    coding: str | None
    """What is to be undone to have the content: one of ``CODINGS``."""
    sets_cookies: bool

    def info(self, meter: Meter) -> httptrace.ResponseHeadInfo:
        """Return what a trace is told of it, after what ``meter`` has counted."""
        return httptrace.ResponseHeadInfo(
            status=self.status,
            reason=self.reason,
            version="1.1",
            headers=self.fields,
            bytes_read=meter.bytes_read,
            reads=meter.reads,
            longest_silence=meter.longest_silence,
        )


def response_head(data: bytes | bytearray, *, to_head: bool) -> Head | None:
    """Return the head that ``data`` begins with; ``None`` for leave it to http.client.

    ``to_head`` says that the request was a HEAD, whose answer has no body whatever its length.
    """
    end = data.find(END, 0, MAX_HEAD)
    # Without an end, nothing: that has no status line either.
    first, *lines = data[: max(end, 0)].decode("latin-1").split("\r\n")
    try:
        status, reason = _status(first)
        keyed = [_known_fields.get(line) or _field(line) for line in lines]
        known = dict(keyed)
        fields = tuple(known.values())
        if len(fields) != len(lines):
            fields = _repeated(keyed)
            known = joined(fields)
        closes = "connection" in known and _CLOSES.get(known["connection"][1].lower())
        if (
            closes is None
            or len(lines) > _MAX_HEADERS
            or "set-cookie2" in known
            or (status // 100 == 3 and "location" in known)
        ):
            return None
        length = _body_length(known, empty=to_head or status in (204, 304))
        coding = _coding(known, empty=length == 0) if "content-encoding" in known else None
    except Unplain:
        return None
    keep_alive = known["keep-alive"][1] if "keep-alive" in known else None
    cookies = "set-cookie" in known
    # `Head(…)` would be a call in Python, to the same.
    parts = (status, reason, fields, known, keep_alive, length, end + 4, closes, coding, cookies)
    return tuple.__new__(Head, parts)


@lru_cache(maxsize=_MAX_STATUS_LINES)
def _status(line: str) -> tuple[int, str]:
    """Status and reason. Raises ``Unplain``, which is not remembered."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None or len(line) > _MAX_LENGTH:
        raise Unplain
    return int(match[1]), (match[2] or "").strip()


@lru_cache(maxsize=_MAX_FIELDS)
def _key(name: str) -> str:
    """A field's ``name`` in lower case. Raises ``Unplain``, which is not remembered."""
    if len(name) > _MAX_LENGTH or not _NAME.fullmatch(name):
        raise Unplain
    return name.lower()


def _field(line: str) -> _Keyed:
    """A field by its name in lower case."""
    name, colon, value = line.partition(":")
    if not (colon and value.isascii() and value.isprintable()):
        raise Unplain
    key = _key(name)
    found = key, (name, value.lstrip(" "))
    if key in HARMLESS_HEADERS and len(line) <= _MAX_KNOWN_LINE:
        if len(_known_fields) >= _MAX_KNOWN_FIELDS:
            _known_fields.clear()
        _known_fields[line] = found
    return found


def _repeated(keyed: Sequence[_Keyed]) -> tuple[tuple[str, str], ...]:
    """All fields, where some have one name: if those do not decide about the rest."""
    keys = [key for key, _ in keyed]
    if any(keys.count(key) > 1 for key in _ONCE):
        raise Unplain
    return tuple([field for _, field in keyed])


def _body_length(known: Mapping[str, tuple[str, str]], *, empty: bool) -> int | None:
    if "transfer-encoding" in known:
        coding = known["transfer-encoding"][1].lower()
        if empty or "content-length" in known or coding != "chunked":
            raise Unplain
        return None
    if "content-length" not in known:
        if not empty:
            raise Unplain
        return 0
    announced = known["content-length"][1]
    # Of ASCII, as all of a head that is plain.
    if not announced.isdigit() or len(announced) > _MAX_DIGITS:
        raise Unplain
    return 0 if empty else int(announced)


def _coding(known: Mapping[str, tuple[str, str]], *, empty: bool) -> str:
    coding = known["content-encoding"][1].lower()
    # urllib3 has its own mind of nothing that is compressed.
    if empty or coding not in CODINGS:
        raise Unplain
    return coding
