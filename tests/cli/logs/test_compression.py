import bz2
import gzip
import lzma
import struct
import sys
from importlib.util import find_spec

import pytest
from logged import source

from tracedclient.cli.reading.compression import Damaged, opened
from tracedclient.cli.reading.inputs import Input

TEXT = b"".join(b"line %d\n" % number for number in range(200_000))


def zstandard(data):
    """A frame of raw blocks (RFC 8878 §3.1.1), which takes no library to write."""
    frame = struct.pack("<IBI", 0xFD2FB528, 0b1010_0000, len(data))
    pieces = [data[at : at + 100_000] for at in range(0, len(data), 100_000)]
    for number, piece in enumerate(pieces, 1):
        frame += struct.pack("<I", len(piece) << 3 | (number == len(pieces)))[:3] + piece
    return frame


def pour(found, into):
    """Read to the end; what was read before an error is there."""
    while piece := found.read(4096):
        into += piece


HAS_ZSTANDARD = sys.version_info >= (3, 14) or (
    find_spec("backports") is not None and find_spec("backports.zstd") is not None
)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, bytes])
def test_a_file_is_known_by_its_first_bytes(tmp_path, compress):
    """gzip, bzip2, xz and plain files are read whatever their names are."""
    with source(tmp_path, compress(TEXT)) as found:
        assert found.readall() == TEXT
        assert found.compressed is (compress is not bytes)


def test_zstandard_is_read_or_the_extra_is_named(tmp_path):
    """A Zstandard file is read where there is a library for it; else the message names the extra."""
    if HAS_ZSTANDARD:
        with source(tmp_path, zstandard(TEXT)) as found:
            assert found.readall() == TEXT
    else:
        with pytest.raises(ImportError, match=r"pip install 'tracedclient\[zstd\]'"):
            source(tmp_path, zstandard(TEXT))


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_concatenated_and_padded_members_are_one_file(tmp_path, compress):
    """What logrotate appends, and zeros in between and behind, are no end and no error."""
    with source(
        tmp_path, compress(b"one\n") + b"\0" * 70_000 + compress(b"two\n") + b"\0"
    ) as found:
        assert found.readall() == b"one\ntwo\n"


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_a_truncated_file_gives_what_it_has(tmp_path, compress):
    """Of a file that breaks off, what is there is read, and the break is an error that says so."""
    data = compress(TEXT)
    got = bytearray()
    with (
        source(tmp_path, data[: len(data) * 3 // 4]) as found,
        pytest.raises(Damaged, match="ends before its end marker"),
    ):
        pour(found, got)
    assert TEXT.startswith(got)
    # bzip2 gives a block at a time, of 900 kB.
    assert len(got) > len(TEXT) / 3


def test_a_corrupt_file_is_an_error(tmp_path):
    """Garbage behind a right beginning is an error that says so."""
    with (
        source(tmp_path, gzip.compress(TEXT)[:100] + b"\xff" * 100) as found,
        pytest.raises(Damaged, match="corrupt"),
    ):
        found.readall()


def test_a_bomb_is_read_in_small_pieces(tmp_path):
    """A megabyte of zeros from a kilobyte comes in as small pieces as are asked for."""
    with source(tmp_path, gzip.compress(bytes(1_000_000))) as found:
        assert len(found.read(1000)) <= 1000


def test_a_file_that_is_not_there_cannot_be_opened(tmp_path):
    """A missing file is an OSError."""
    with pytest.raises(FileNotFoundError):
        opened(Input(str(tmp_path / "none"), seekable=True))


def test_a_tiny_file_is_read(tmp_path):
    """A file shorter than any magic number is plain."""
    with source(tmp_path, b"a") as found:
        assert found.readall() == b"a"
