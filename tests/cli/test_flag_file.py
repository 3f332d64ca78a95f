"""A document is put into a file in one step."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tracedclient.cli.flag_file import replace_file


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def names_in(directory):
    return [each.name for each in directory.iterdir()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "flag.json"


@pytest.mark.parametrize("before", [0o600, 0o640, 0o664])
def test_the_mode_stays(path, before):
    """Who could read the file before can read it after."""
    path.write_text("false")
    path.chmod(before)
    replace_file(path, b"true")

    assert (path.read_bytes(), mode(path)) == (b"true", before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_stays(path):
    """A file that belongs to the service's user still does when root has replaced it."""
    path.write_text("false")
    os.chown(path, 12_345, 23_456)
    replace_file(path, b"true")

    assert (path.stat().st_uid, path.stat().st_gid) == (12_345, 23_456)


def as_somebody(path, body):
    """In a child that is not root, replace ``path``; return its exit code: 0 done, 3 refused."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(23_456)
            os.setuid(12_345)
            replace_file(path, body)
            os._exit(0)
        except PermissionError as error:
            os._exit(3 if "run this as that user" in str(error) else 4)
        finally:
            os._exit(5)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another")
@pytest.mark.parametrize(("before", "code", "after"), [(0o640, 3, "false"), (0o644, 0, "true")])
def test_readers_are_not_locked_out(before, code, after):
    """Who cannot give the new file to the old one's group is refused if that would hide it."""
    # Not tmp_path, which is root's alone.
    with TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o777)
        path = directory / "flag.json"
        path.write_text("false")
        path.chmod(before)

        assert as_somebody(path, b"true") == code
        assert (path.read_text(), names_in(directory)) == (after, ["flag.json"])


def test_a_new_file_is_as_the_umask_says(path):
    """A temporary file's 0600 would hide the flag from the services."""
    old = os.umask(0o027)
    try:
        replace_file(path, b"true")
    finally:
        os.umask(old)
    assert mode(path) == 0o640


def test_a_link_stays_a_link(tmp_path, path):
    """What the link leads to is replaced; the link is not."""
    (tmp_path / "there").mkdir()
    real = tmp_path / "there" / "real.json"
    real.write_text("false")
    path.symlink_to(real)
    replace_file(path, b"true")

    assert (path.is_symlink(), real.read_text()) == (True, "true")
    assert names_in(tmp_path / "there") == ["real.json"]


def test_only_regular_files(tmp_path):
    """A directory or a FIFO is refused, and nothing is left behind."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(OSError, match="is not a regular file"):
            replace_file(path, b"true")
    assert names_in(tmp_path) == ["fifo"]


def test_no_directory(tmp_path):
    """A directory that is not there is an error of the system's."""
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "none" / "flag.json", b"true")


def test_nobody_sees_half_of_it(path):
    """A reader meets the old document or the new one, however often it looks."""
    bodies = [b"a" * 50_000, b"b" * 50_000]
    path.write_bytes(bodies[0])
    seen, done = set(), threading.Event()

    def look():
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(50):
        replace_file(path, bodies[number % 2])
    done.set()
    reader.join()
    assert seen <= set(bodies)
