"""A proxy's answer to CONNECT: http.client reads it without a bound, and mostly forgets it."""

from __future__ import annotations

import http.client
import io
from typing import Any

from tracedclient.transport.reading import MAX_HEAD_BYTES, TooLargeHead
from tracedclient.transport.response import HTTPResponse


class TunnelResponse(HTTPResponse):
    """Reads the answer, within a bound, and tells ``into`` what it says."""

    def __init__(self, *args: Any, into: TunnelAnswer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._into = into
        into.reader = self
        self._head = _HeadReader(self.fp.detach()) if _is_buffered(self.fp) else None
        if self._head is not None:
            self.fp = io.BufferedReader(self._head)

    def _read_status(self) -> tuple[str, int, str]:
        line = super()._read_status()
        self._into.status = line[1]
        return line

    def _close_conn(self) -> None:
        if self._head is not None:
            self._into.headers = _headers_of(bytes(self._head.data))
        super()._close_conn()


class TunnelAnswer:
    """What a proxy said to CONNECT.

    Leaving it closes what has read it, which http.client does from Python 3.12 on; until then, an
    error holds it, and with it the socket.
    """

    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    reader: TunnelResponse | None = None

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        reader, self.reader = self.reader, None
        if reader is not None:
            reader.close()


def _is_buffered(reader: Any) -> bool:
    return isinstance(reader, io.BufferedReader)


def _headers_of(data: bytes) -> tuple[tuple[str, str], ...]:
    """The headers of the last head in ``data``; none when it is not one, or not whole."""
    heads = data.split(b"\r\n\r\n")
    _, _, fields = heads[-2].partition(b"\r\n") if len(heads) > 1 else (b"", b"", b"")
    try:
        parsed = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
    except http.client.HTTPException:
        return ()
    return tuple(parsed.items())


class _HeadReader(io.RawIOBase):
    """Keeps what it reads, and gives up after so many bytes."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self.data = bytearray()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if len(self.data) > MAX_HEAD_BYTES:
            raise TooLargeHead(f"the answer's head is larger than {MAX_HEAD_BYTES} bytes")
        size = self._raw.readinto(buffer)
        self.data += memoryview(buffer)[: size or 0]
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()
