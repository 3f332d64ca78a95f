"""What came after a usual head → the content, where it is plain how: chunks put together, gzip undone.

Chunks with extensions or trailers, a compressed content that does not end where the body does: for
what those come to, or which error they are, urllib3 is asked. ``tests/transport/test_content.py``
holds the rest to be urllib3's.
"""

from __future__ import annotations

import zlib

from tracedclient._pattern import pattern

_SIZE = pattern(rb"([0-9A-Fa-f]{1,6})\r\n")
_LONGEST_SIZE = 8
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""By coding, in zlib's way of telling them apart."""

CODINGS = frozenset(_WINDOW_BITS)
"""Values of ``Content-Encoding``, in lower case, that ``decoded`` knows."""


class Unplain(Exception):
    """A body that is for urllib3 to judge."""


class Chunks:
    """A chunked body (RFC 9112 §7.1), taken apart as it comes in."""

    def __init__(self, start: int, most: int) -> None:
        self._at = start
        self._left = most
        self._parts: list[bytes] = []

    def take(self, data: bytes | bytearray) -> bytes | None:
        """Return the whole content when it is in ``data``, which begins as it did the last time;
        ``None`` while some of it is missing.

        Raises ``Unplain`` for what is not plain, larger than ``most`` bytes, or not the end of
        ``data``.
        """
        while True:
            size = self._size(data)
            if size is None or not self._ends_in(data, *size):
                return None
            start, end = size
            if start == end:
                if len(data) != end + 2:
                    raise Unplain
                return b"".join(self._parts)
            self._parts.append(bytes(data[start:end]))
            self._left -= end - start
            self._at = end + 2

    def _size(self, data: bytes | bytearray) -> tuple[int, int] | None:
        """Where the next chunk's bytes begin and end; ``None`` when its size has not come."""
        match = _SIZE.match(data, self._at)
        if match is None:
            line = data[self._at : self._at + _LONGEST_SIZE]
            if len(line) == _LONGEST_SIZE or b"\n" in line:
                raise Unplain
            return None
        size = int(match[1], 16)
        if size > self._left:
            raise Unplain
        return match.end(), match.end() + size

    @staticmethod
    def _ends_in(data: bytes | bytearray, _: int, end: int) -> bool:
        mark = bytes(data[end : end + 2])
        if not b"\r\n".startswith(mark):
            raise Unplain
        return len(mark) == 2


def decoded(body: bytes, coding: str, most: int) -> bytes:
    """Return what ``body`` is, undone from ``coding``, one of ``CODINGS``.

    Raises ``Unplain`` when that takes more than ``most`` bytes, or is anything but one whole stream.
    """
    decoder = zlib.decompressobj(_WINDOW_BITS[coding])
    try:
        content = decoder.decompress(body, most)
    except zlib.error:
        raise Unplain from None
    if not decoder.eof or decoder.unused_data:
        raise Unplain
    return content
