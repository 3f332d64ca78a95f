"""Can a body be sent again, byte for byte?"""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.exceptions import UnrewindableBodyError

from tracedclient.retry.body import ReplayableBody


class WithoutSeek:
    """Says where it stands, but does not go anywhere."""

    def read(self, size=-1):
        return b""

    def tell(self):
        return 0

    def seek(self, position):
        raise OSError("not seekable")


class OddTell(WithoutSeek):
    """Says that it stands nowhere that could be gone to."""

    def tell(self):
        return None

    def seek(self, position):
        return None


class WithoutTell(io.RawIOBase):
    """Can only be read, and says so."""

    def readable(self):
        return True


@pytest.mark.parametrize("content", [None, b"", b"abc", bytearray(b"abc"), memoryview(b"a"), ""])
def test_what_is_in_memory_can_be_sent_again(content):
    """No body, bytes of any kind and str are replayable as they are; rewinding them is nothing."""
    body = ReplayableBody(content)
    assert body.replayable
    body.rewind()
    assert body.body is content


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 250))
def test_file_is_sent_again_from_where_it_stood(content, start, taken):
    """A file gives the same bytes again, from the position it was handed over at."""
    file = io.BytesIO(content)
    file.seek(start)
    body = ReplayableBody(file)
    first = file.read()
    for _ in range(2):
        body.rewind()
        file.read(taken)
        body.rewind()
        assert file.read() == first


def test_real_file_is_replayable(tmp_path):
    """A file on disk is replayable, opened as bytes or as text."""
    path = tmp_path / "body"
    path.write_text("one\ntwo\n")
    for mode in ("rb", "r"):
        with path.open(mode) as file:
            file.readline()
            body = ReplayableBody(file)
            assert body.replayable
            first = file.read()
            body.rewind()
            assert file.read() == first != ""


def generator():
    yield b"one"
    yield b"two"


@pytest.mark.parametrize("make", [generator, lambda: iter([b"one", b"two"])])
def test_iterator_can_be_sent_again_until_it_is_touched(make):
    """What is gone when read is replayable as long as nothing was asked of it, and no longer."""
    body = ReplayableBody(make())
    assert body.replayable
    body.rewind()
    chunks = iter(body.body)
    assert body.replayable
    assert next(chunks) == b"one"
    assert not body.replayable
    assert list(chunks) == [b"two"]


def test_generator_that_failed_is_not_replayable():
    """A generator that raised before its first chunk is empty from then on: not replayable."""

    def failing():
        raise ConnectionError("upstream is gone")
        yield b""

    body = ReplayableBody(failing())
    with pytest.raises(ConnectionError):
        next(iter(body.body))
    assert list(body.body) == []
    assert not body.replayable


def test_factory_makes_a_body_anew():
    """With a factory, whatever was sent, the next try sends what the factory makes."""
    made = []

    def factory():
        made.append(generator())
        return made[-1]

    body = ReplayableBody(generator(), factory)
    assert list(body.body) == [b"one", b"two"]
    for number in (1, 2):
        assert body.replayable
        body.rewind()
        assert body.body is made[-1]
        assert list(body.body) == [b"one", b"two"]
        assert len(made) == number


def test_pipe_is_not_replayable():
    """A file that cannot seek, such as a pipe, is not replayable; asking takes nothing from it."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb") as sink:
        sink.write(b"body")
        sink.close()
        body = ReplayableBody(source)
        assert not body.replayable
        assert body.body is source
        body.rewind()
        assert source.read() == b"body"


def test_closed_file_is_not_replayable(tmp_path):
    """A file that is closed cannot be sent at all; asking does not raise."""
    path = tmp_path / "body"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        pass
    assert not ReplayableBody(file).replayable


@pytest.mark.parametrize("body", [WithoutSeek(), OddTell(), WithoutTell()])
def test_what_only_looks_like_a_file_is_not_replayable(body):
    """A body is replayable only if it has shown that it goes back to where it stood."""
    assert not ReplayableBody(body).replayable


def test_file_that_cannot_go_back_says_so():
    """A file that does not go back although it could before is a requests error, with its words."""

    class Tape(io.BytesIO):
        is_torn = False

        def seek(self, *args):
            if self.is_torn:
                raise OSError("the tape is torn")
            return super().seek(*args)

    tape = Tape(b"x")
    body = ReplayableBody(tape)
    assert body.replayable
    tape.is_torn = True
    with pytest.raises(UnrewindableBodyError, match="torn"):
        body.rewind()


def test_file_that_was_closed_says_so():
    """A file that somebody has closed between two tries is a requests error too."""
    file = io.BytesIO(b"x")
    body = ReplayableBody(file)
    file.close()
    with pytest.raises(UnrewindableBodyError, match="closed"):
        body.rewind()


@pytest.mark.parametrize("length", [0, 4, 6, 12])
def test_file_that_ends_elsewhere_cannot_be_sent_again(length):
    """A file that has got shorter, or longer, would break its Content-Length: it is refused."""
    file = io.BytesIO(b"hello world")
    file.seek(6)
    body = ReplayableBody(file)
    file.read()
    file.truncate(length)
    file.write(b"!" * (length - 11))
    with pytest.raises(UnrewindableBodyError, match=f"ended at 11 and ends at {length}"):
        body.rewind()


def test_file_that_only_seeks_from_its_beginning_is_replayable():
    """A file of the caller's own kind need not know about its end."""

    class OnlyForward(WithoutSeek):
        position = 3

        def tell(self):
            return self.position

        def seek(self, position):
            self.position = position

    file = OnlyForward()
    body = ReplayableBody(file)
    file.position = 9
    body.rewind()
    assert file.position == 3
