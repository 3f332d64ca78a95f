from tracedclient.cli.reading.blocks import MAX_LINE
from tracedclient.cli.reading.follow import REPLACED, TRUNCATED, Followed


def new(followed):
    return [line for _, line in followed.new_lines()]


def test_lines_come_when_they_are_complete(tmp_path):
    """A line is given once its end has been written, with its offset, and never twice."""
    path = tmp_path / "app.log"
    path.write_bytes(b"one\ntw")
    followed = Followed(str(path))
    assert list(followed.new_lines()) == [(0, b"one")]
    with path.open("ab") as file:
        file.write(b"o\nthree\n")
    assert list(followed.new_lines()) == [(4, b"two"), (8, b"three")]
    assert new(followed) == []
    followed.close()


def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(tmp_path):
    """What is written between the last look and the rotation is not lost."""
    path = tmp_path / "app.log"
    path.write_bytes(b"one\n")
    followed = Followed(str(path))
    assert new(followed) == [b"one"]
    with path.open("ab") as file:
        file.write(b"two\n")
    path.rename(tmp_path / "app.log.1")
    path.write_bytes(b"three\n")
    assert new(followed) == [b"two", b"three"]
    assert followed.notes == [REPLACED]
    followed.close()


def test_a_truncated_file_is_read_from_its_beginning(tmp_path):
    """After copytruncate, reading begins anew, and half a line from before is forgotten."""
    path = tmp_path / "app.log"
    path.write_bytes(b"one\nhalf a line")
    followed = Followed(str(path))
    assert new(followed) == [b"one"]
    with path.open("r+b") as file:
        file.truncate()
        file.write(b"two\n")
    assert new(followed) == [b"two"]
    assert followed.notes == [TRUNCATED]
    followed.close()


def test_a_file_may_vanish_and_come_back(tmp_path):
    """A file that is not there yet, or for a while, is waited for."""
    path = tmp_path / "app.log"
    followed = Followed(str(path))
    assert new(followed) == []
    path.write_bytes(b"one\n")
    assert new(followed) == [b"one"]
    path.unlink()
    assert new(followed) == []
    path.write_bytes(b"two\n")
    assert new(followed) == [b"two"]
    followed.close()


def test_a_line_that_never_ends_does_not_fill_the_memory(tmp_path):
    """Of an endless line only the last megabyte is held."""
    path = tmp_path / "app.log"
    path.write_bytes(b"x" * (4 * MAX_LINE))
    followed = Followed(str(path))
    assert new(followed) == []
    with path.open("ab") as file:
        file.write(b"\nnext\n")
    (first, second) = followed.new_lines()
    assert len(first[1]) <= MAX_LINE
    assert second == (4 * MAX_LINE + 1, b"next")
    followed.close()
