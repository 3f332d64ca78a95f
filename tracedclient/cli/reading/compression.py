"""A log file → its plain bytes: gzip, bzip2, xz and Zstandard, known by their magic numbers.

The name of a file says nothing: rotated logs are renamed, and pipes have none.
"""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from tracedclient.cli.reading.inputs import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import WriteableBuffer

    from tracedclient.cli.reading.inputs import Input

_PIECE = 64 * 1024
_MAGIC = 6


class Damaged(OSError):
    """The compressed file breaks off or is corrupt; what came before that has been read."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class Source(io.RawIOBase):
    """The plain bytes of an input; ``compressed`` says whether they are stored in another way."""

    compressed = False

    def readable(self) -> bool:
        return True


def opened(source: Input) -> Source:
    """Return the plain bytes of ``source``.

    Raises ``OSError`` when it cannot be opened, and ``ImportError`` when it takes an extra. Its
    ``readinto`` raises ``Damaged`` where compressed data breaks off.
    """
    raw = _raw(source)
    try:
        head = _head(raw)
        factory = _factory(head)
        return _Plain(raw, head) if factory is None else _Inflated(raw, head, factory)
    except BaseException:
        raw.close()
        raise


def _raw(source: Input) -> io.RawIOBase:
    if source.name == STDIN:
        # Not sys.stdin.buffer: its read-ahead would hold back the lines of a slow writer.
        return io.FileIO(sys.stdin.fileno(), "rb", closefd=False)
    return io.FileIO(source.name, "rb")


def _head(raw: io.RawIOBase) -> bytes:
    head = b""
    # A pipe may give a byte at a time.
    while len(head) < _MAGIC and (piece := raw.read(_MAGIC - len(head))):
        head += piece
    return head


class _Plain(Source):
    def __init__(self, raw: io.RawIOBase, head: bytes) -> None:
        self._raw = raw
        self._head = head

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        if self._head:
            taken = min(len(self._head), len(view))
            view[:taken] = self._head[:taken]
            self._head = self._head[taken:]
            return taken
        return self._raw.readinto(view) or 0

    def seekable(self) -> bool:
        return self._raw.seekable()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._head = b""
        return self._raw.seek(offset, whence)

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Inflated(Source):
    compressed = True

    def __init__(
        self, raw: io.RawIOBase, head: bytes, factory: Callable[[], _Decompressor]
    ) -> None:
        self._raw = raw
        self._input = head
        self._factory = factory
        self._member: _Decompressor = factory()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._some(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._raw.close()
        super().close()

    def _some(self, most: int) -> bytes:
        """Return up to ``most`` bytes, none at the end. A small file may hold terabytes of zeros."""
        while True:
            if self._member.eof and not self._next_member():
                return b""
            if self._member.needs_input and not self._fill():
                raise Damaged("the compressed data ends before its end marker")
            given, self._input = self._input, b""
            if data := self._decompressed(given, most):
                return data

    def _decompressed(self, given: bytes, most: int) -> bytes:
        try:
            return self._member.decompress(given, most)
        except Exception as error:  # each module has an error class of its own
            raise Damaged(f"the compressed data is corrupt: {error}") from error

    def _fill(self) -> bool:
        if not self._input:
            self._input = self._raw.read(_PIECE) or b""
        return bool(self._input)

    def _next_member(self) -> bool:
        # Compressed files may be concatenated, and padded with zeros (gzip's manual, §Advanced).
        self._input = self._member.unused_data.lstrip(b"\0")
        while not self._input and self._fill():
            self._input = self._input.lstrip(b"\0")
        if not self._input:
            return False
        self._member = self._factory()
        return True


class _Gzip:
    """``zlib``'s object with the attributes that those of ``bz2`` and ``lzma`` have."""

    def __init__(self) -> None:
        zlib = import_module("zlib")
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data)

    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        return bytes(self._inner.decompress(self._inner.unconsumed_tail + data, max_length))


def _bzip2() -> _Decompressor:
    made: _Decompressor = import_module("bz2").BZ2Decompressor()
    return made


def _xz() -> _Decompressor:
    made: _Decompressor = import_module("lzma").LZMADecompressor()
    return made


def _zstandard() -> _Decompressor:
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        made: _Decompressor = import_module(name).ZstdDecompressor()
    except ImportError as error:
        raise ImportError(
            "it is compressed by Zstandard; pip install 'tracedclient[zstd]' reads that"
        ) from error
    return made


_FORMATS: dict[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b": _Gzip,  # RFC 1952 §2.3.1
    b"BZh": _bzip2,
    b"\xfd7zXZ\x00": _xz,  # the .xz file format, §2.1.1.1
    b"\x28\xb5\x2f\xfd": _zstandard,  # RFC 8878 §3.1.1
}


def _factory(head: bytes) -> Callable[[], _Decompressor] | None:
    return next((made for magic, made in _FORMATS.items() if head.startswith(magic)), None)
