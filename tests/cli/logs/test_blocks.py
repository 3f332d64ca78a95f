import pytest
from hypothesis import given
from hypothesis import strategies as st
from logged import source

from tracedclient.cli.reading.blocks import BLOCK, MAX_LINE, blocks


def copied(found):
    return [(block.offset, bytes(block.data[: block.end]), block.piece) for block in found]


def keep(found, into):
    """Read to the end; what was read before an error is there."""
    for block in found:
        into.append(bytes(block.data[: block.end]))


class Dripping:
    """A pipe that gives so many bytes at a time."""

    def __init__(self, data, step):
        self.data, self.step = data, step

    def readinto(self, view):
        piece = self.data[: min(self.step, len(view))]
        self.data = self.data[len(piece) :]
        view[: len(piece)] = piece
        return len(piece)


@given(st.lists(st.binary(max_size=40), max_size=20), st.integers(1, 50))
def test_all_bytes_come_in_whole_lines(lines, step):
    """However the bytes arrive, all come once, at their offsets, and no line is divided."""
    data = b"\n".join(lines)
    found = copied(blocks(Dripping(data, step)))
    assert b"".join(text for _, text, _ in found) == data
    assert all(data[offset : offset + len(text)] == text for offset, text, _ in found)
    assert all(text.endswith(b"\n") for _, text, _ in found[:-1])


def test_a_line_without_end_is_given_in_pieces(tmp_path):
    """A line of 5 MB comes in pieces that are said to be some; the lines around it come whole."""
    long = b"x" * (5 * MAX_LINE)
    with source(tmp_path, b"before\n" + long + b"\nafter\n") as opened:
        found = copied(blocks(opened))
    pieces = [text for _, text, piece in found if piece]
    assert b"".join(pieces) == long + b"\n"
    assert max(map(len, pieces)) <= MAX_LINE + BLOCK
    assert [text for _, text, piece in found if not piece] == [b"before\n", b"after\n"]


def test_a_limit_is_kept(tmp_path):
    """No byte beyond the limit is read."""
    with source(tmp_path, b"one\ntwo\nthree\n") as opened:
        opened.seek(4)
        assert copied(blocks(opened, offset=4, limit=4)) == [(4, b"two\n", False)]


def test_what_came_before_an_error_is_given(tmp_path):
    """When reading fails, what was read before comes first, and then the error."""

    class Failing(Dripping):
        def readinto(self, view):
            if not self.data:
                raise OSError("broken disk")
            return super().readinto(view)

    found = []
    with pytest.raises(OSError, match="broken disk"):
        keep(blocks(Failing(b"one\nhal", 3)), found)
    assert b"".join(found) == b"one\nhal"
