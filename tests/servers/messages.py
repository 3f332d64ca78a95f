"""HTTP/1.1 messages as a server sees them: requests read, answers written (RFC 9112)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

CRLF = b"\r\n"

HeaderFields: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]


class Headers(list[tuple[str, str]]):
    """Header fields in the order of the wire; looked up without regard to case."""

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of ``name``."""
        return next(iter(self.get_all(name)), default)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self if key.lower() == name.lower()]

    def tokens(self, name: str) -> set[str]:
        """The comma-separated, lower-cased members of every ``name`` field."""
        return {token.strip().lower() for value in self.get_all(name) for token in value.split(",")}


@dataclass(frozen=True)
class Request:
    connection: int
    """Which of the server's connections it came on, counted from 1."""
    method: str
    target: str
    """As on the request line: origin, absolute, authority or asterisk form (RFC 9112 §3.2)."""
    version: str
    headers: Headers
    raw: bytes
    """Head and body as they came, chunk framing included."""
    body: bytes = b""
    """Without the chunk framing."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def wants_close(self) -> bool:
        return self.version == "HTTP/1.0" or "close" in self.headers.tokens("Connection")


class RequestReader:
    """Takes requests out of a byte stream; what lies beyond them stays for the next read."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._pending = bytearray()

    def at_end(self) -> bool:
        """Blocks until there is a byte to read (``False``) or the stream has ended."""
        if not self._pending:
            self._pending += self._receive(65536)
        return not self._pending

    def leftover(self) -> bytes:
        """Takes what was received beyond the last request."""
        return self._cut(len(self._pending))

    def read_head(self, connection: int) -> Request | None:
        """``None`` when the stream ended before the first byte."""
        if self.at_end():
            return None
        return _parse_head(self._take_until(CRLF + CRLF), connection)

    def read_body(self, head: Request) -> Request:
        """``head`` with the body that its framing fields announce (RFC 9112 §6.3)."""
        if "chunked" in head.headers.tokens("Transfer-Encoding"):
            raw, body = self._take_chunks()
        else:
            raw = body = self._take(int(head.headers.get("Content-Length") or 0))
        return replace(head, body=body, raw=head.raw + raw)

    def _take_chunks(self) -> tuple[bytes, bytes]:
        raw, body, size = b"", b"", -1
        while size != 0:
            line = self._take_until(CRLF)
            size = int(line.partition(b";")[0], 16)
            chunk = self._take(size + len(CRLF)) if size else self._take_trailers()
            raw += line + chunk
            body += chunk[:size]
        return raw, body

    def _take_trailers(self) -> bytes:
        trailers = b""
        while not trailers.endswith(CRLF + CRLF) and trailers != CRLF:
            trailers += self._take_until(CRLF)
        return trailers

    def _take_until(self, mark: bytes) -> bytes:
        while (at := self._pending.find(mark)) < 0:
            self._fill()
        return self._cut(at + len(mark))

    def _take(self, size: int) -> bytes:
        while len(self._pending) < size:
            self._fill()
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        taken = bytes(self._pending[:size])
        del self._pending[:size]
        return taken

    def _fill(self) -> None:
        received = self._receive(65536)
        if not received:
            raise ConnectionAbortedError("the client closed in the middle of a request")
        self._pending += received


def _parse_head(raw: bytes, connection: int) -> Request:
    request_line, *fields = raw.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, version = request_line.split(" ")
    return Request(connection, method, target, version, Headers(map(_parse_field, fields)), raw)


def _parse_field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or name != name.strip():
        raise ValueError(f"not a header field (RFC 9112 §5): {line!r}")
    return name, value.strip(" \t")


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes | Iterable[bytes] = b""
    """An iterable is sent piece by piece: chunked, unless ``headers`` hold a Content-Length."""
    headers: HeaderFields = ()
    reason: str | None = None
    close: bool = False
    delay: float = field(default=0.0, kw_only=True)
    """Seconds before the first byte; only ``serve`` heeds it."""

    def pieces(self, method: str) -> Iterator[bytes]:
        """What to send, send by send, as the answer to ``method``. Whole bodies make one piece."""
        fields = self._fields()
        bodiless = method == "HEAD" or self.status in {204, 304}
        if isinstance(self.body, bytes):
            yield self._head(fields) + (b"" if bodiless else self.body)
            return
        yield self._head(fields)
        if not bodiless:
            is_chunked = "chunked" in fields.tokens("Transfer-Encoding")
            yield from _chunked(self.body) if is_chunked else self.body

    def _fields(self) -> Headers:
        given = self.headers.items() if isinstance(self.headers, Mapping) else self.headers
        fields = Headers(given)
        framed = fields.get("Content-Length") or fields.get("Transfer-Encoding")
        if not framed and self.status != 204:
            fields.append(self._framing())
        if self.close:
            fields.append(("Connection", "close"))
        return fields

    def _framing(self) -> tuple[str, str]:
        if isinstance(self.body, bytes):
            return "Content-Length", str(len(self.body))
        return "Transfer-Encoding", "chunked"

    def _head(self, fields: Headers) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {self._reason()}", *map(": ".join, fields), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def _reason(self) -> str:
        if self.reason is not None:
            return self.reason
        known = self.status in HTTPStatus._value2member_map_
        return HTTPStatus(self.status).phrase if known else "Unknown"


def _chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in filter(None, pieces):
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
