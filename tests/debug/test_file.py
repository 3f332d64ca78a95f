"""A flag in a file, in every way files are changed and broken."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tracedclient.debug import FileSource, InvalidDocument, SourceError
from tracedclient.debug.document import MAX_BYTES, decode
from tracedclient.debug.source import Absent, Document, NotModified


def ask(source, previous=None, cancel=None):
    return source.fetch(previous, wait=0.0, cancel=cancel or threading.Event())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "flag.json"


def test_content_and_its_hash(path):
    """A fetch brings the file's bytes; the revision is their SHA-256, as ``sha256sum`` prints it."""
    path.write_bytes(b"true\n")
    assert ask(FileSource(path)) == Document(b"true\n", hashlib.sha256(b"true\n").hexdigest())


def test_unchanged_file_is_not_read(path):
    """Looking again at an unchanged file opens nothing."""
    path.write_bytes(b"true")
    script = """
import sys, threading
from tracedclient.debug import FileSource
source, cancel, opened = FileSource(sys.argv[1]), threading.Event(), []
sys.addaudithook(lambda event, args: opened.append(args[0]) if event == "open" else None)
revision = source.fetch(None, wait=0, cancel=cancel).revision
first = len(opened)
for _ in range(5):
    source.fetch(revision, wait=0, cancel=cancel)
print(first > 0, len(opened) == first)
source.fetch(None, wait=0, cancel=cancel)
print(len(opened) > first)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True, timeout=30
    )
    assert ran.stdout.split() == ["True"] * 3


def test_touched_file_is_not_modified(path):
    """New time stamps on the same content are no change."""
    path.write_bytes(b"true")
    source = FileSource(path)
    revision = ask(source).revision
    os.utime(path, ns=(1, 1))
    assert ask(source, revision) == NotModified()


def test_previous_revision_decides(path):
    """Whoever does not have this content gets it, though the source has seen it before."""
    path.write_bytes(b"true")
    source = FileSource(path)
    document = ask(source)
    assert ask(source, "another") == document
    assert ask(source) == document
    assert ask(source, document.revision) == NotModified()


def test_configmap_swap(tmp_path):
    """A ConfigMap's update, which swaps ``..data`` under the link, is seen; so is its rollback."""
    for version, body in (("..1", b"false"), ("..2", b"true")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "flag.json").write_bytes(body)
    (tmp_path / "flag.json").symlink_to("..data/flag.json")

    def swap(version):
        (tmp_path / "..data_tmp").symlink_to(version)
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    swap("..1")
    source = FileSource(tmp_path / "flag.json")
    first = ask(source)
    swap("..2")
    second = ask(source, first.revision)
    swap("..1")
    assert (first.body, second.body) == (b"false", b"true")
    assert ask(source, second.revision) == first


def test_rollback_to_an_older_time_stamp(path, tmp_path):
    """A file put back with its old time stamp is seen."""
    path.write_bytes(b"true")
    source = FileSource(path)
    new = ask(source)
    old = tmp_path / "old"
    old.write_bytes(b"false")
    os.utime(old, ns=(1, 1))
    old.replace(path)
    assert ask(source, new.revision).body == b"false"


def test_same_size_same_time_edit(path):
    """An edit in place that keeps size and time stamp, as ``rsync --inplace -t`` does, is seen."""
    path.write_bytes(b"true ")
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    source = FileSource(path)
    first = ask(source)
    # The kernel's time stamps have a resolution of some milliseconds.
    changed = path.stat().st_ctime_ns
    while path.stat().st_ctime_ns == changed:
        path.write_bytes(b"false")
        os.utime(path, ns=times)
    assert path.stat().st_mtime_ns == times[1]
    assert ask(source, first.revision).body == b"false"


def test_no_file_is_absent(path):
    """A missing file, and a link to nothing, are no document; a deleted one is noticed."""
    source = FileSource(path)
    assert ask(source) == Absent()
    path.symlink_to("nothing")
    assert ask(source) == Absent()
    path.unlink()
    path.write_bytes(b"true")
    revision = ask(source).revision
    path.unlink()
    assert ask(source, revision) == Absent()
    path.write_bytes(b"true")
    assert ask(source).body == b"true"


def test_file_gone_for_a_moment(path):
    """An editor that renames the old file away before the new one is in does not switch off."""

    class PutBack(threading.Event):
        def wait(self, timeout=None):
            path.write_bytes(b"false")
            return False

    path.write_bytes(b"true")
    source = FileSource(path)
    revision = ask(source).revision
    path.unlink()
    assert ask(source, revision, PutBack()).body == b"false"


def test_directory_is_refused(path):
    """A directory in the file's place is an error that names the path."""
    path.mkdir()
    with pytest.raises(SourceError, match="is not a regular file") as error:
        ask(FileSource(path))
    assert str(path) in str(error.value)


def test_file_below_a_file_is_refused(path):
    """A path through something that is not a directory is an error, not an absence."""
    path.write_bytes(b"true")
    with pytest.raises(SourceError, match="Not a directory"):
        ask(FileSource(path / "flag.json"))


def test_loop_of_links_is_refused(path):
    """A symbolic link that leads to itself is an error that names the path."""
    path.symlink_to(path)
    with pytest.raises(SourceError, match="symbolic links") as error:
        ask(FileSource(path))
    assert str(path) in str(error.value)


def test_unreadable_file_is_refused():
    """A regular file whose bytes cannot be read is an error that names the path."""
    with pytest.raises(SourceError, match=r"^cannot read /proc/self/mem: "):
        ask(FileSource("/proc/self/mem"))


@pytest.mark.timeout(10)
def test_fifo_is_refused_without_waiting(path):
    """A FIFO is refused at once, and its writer is left alone."""
    os.mkfifo(path)
    with pytest.raises(SourceError, match="is not a regular file"):
        ask(FileSource(path))
    with pytest.raises(OSError, match="No such device"):
        os.open(path, os.O_WRONLY | os.O_NONBLOCK)


@pytest.mark.parametrize("kind", ["device", "socket"])
def test_devices_and_sockets_are_refused(tmp_path, monkeypatch, kind):
    """Endless or strange files are refused without being opened."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        name = {"device": "/dev/zero", "socket": "socket"}[kind]
        with pytest.raises(SourceError, match="is not a regular file"):
            ask(FileSource(name))


def test_huge_file_is_read_no_further_than_needed(path):
    """Of a file beyond the limit, one byte too many is read, and the document is refused."""
    with path.open("wb") as file:
        file.truncate(1 << 40)
    body = ask(FileSource(path)).body
    assert len(body) == MAX_BYTES + 1
    with pytest.raises(InvalidDocument, match="larger than 64 kB"):
        decode(body)


def test_no_descriptor_is_left(path, open_descriptors):
    """Looks that fail or succeed give their descriptors back."""
    path.write_bytes(b"true")
    unreadable, readable = FileSource("/proc/self/mem"), FileSource(path)
    ask(readable)
    before = open_descriptors()
    for _ in range(5):
        ask(readable)
        with pytest.raises(SourceError):
            ask(unreadable)
    assert open_descriptors() == before


def test_relative_path_is_kept(path, monkeypatch, tmp_path):
    """A relative path means the directory at construction, whatever the process does later."""
    path.write_bytes(b"true")
    monkeypatch.chdir(tmp_path)
    source = FileSource("flag.json")
    monkeypatch.chdir("/")
    assert ask(source).body == b"true"
    assert source.name == f"file:{path}"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (None, TypeError),
        (3, TypeError),
        (True, TypeError),
        (b"/etc/flag", TypeError),
        ("", ValueError),
        ("a\0b", ValueError),
    ],
)
def test_path_must_be_a_path(wrong, error):
    """What cannot be a path is refused at construction, by name of the argument."""
    with pytest.raises(error, match=r"^path must"):
        FileSource(wrong)


def test_names():
    """A file source says which file, and needs none to be made."""
    source = FileSource(Path("/etc/tracedclient/flag.json"))
    assert str(source) == "file:/etc/tracedclient/flag.json"
    assert repr(source) == "<FileSource file:/etc/tracedclient/flag.json>"


def test_torn_and_broken_files_keep_the_last_good(path, tmp_path, updater, eventually):
    """A half-written file, an oversized one and a directory in its place leave debug as it was."""
    path.write_bytes(b"true")
    flag = updater(FileSource(path))
    assert flag.is_on()
    for breakage, says in (
        (b'{"schema": 1, "ena', "truncated"),
        (b" " * (MAX_BYTES + 1), "larger than 64 kB"),
    ):
        path.write_bytes(breakage)
        eventually(lambda says=says: says in (flag.status().last_error or ""))
        assert flag.is_on()
        path.write_bytes(b"true")
        eventually(lambda: flag.status().state == "READY")
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "link").replace(path)
    eventually(lambda: "not a regular file" in (flag.status().last_error or ""))
    assert flag.is_on()
    path.unlink()
    eventually(lambda: flag.status().state == "ABSENT")
    assert not flag.is_on()
