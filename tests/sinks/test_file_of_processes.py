"""One file for several processes, after a fork, and on a disk that is full: real processes each."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tracedclient.trace.schema import from_json

SETUP = """
import logging, logging.config, os, resource, sys, threading
from tracedclient import JsonLogSink, logging_config
from tracedclient.testing import make_trace_result

def write(trace_id, size=0):
    sink.emit(make_trace_result(trace_id=trace_id, service_name="s" * size))

sink = JsonLogSink()
config = logging_config(filename=sys.argv[1])
handler_config = config["handlers"]["tracedclient"]
if sys.argv[2] == "standard":
    handler_config["class"] = "logging.handlers.WatchedFileHandler"
else:
    handler_config["look_every"] = 3600
logging.config.dictConfig(config)
(handler,) = logging.getLogger("tracedclient.trace").handlers
"""


def start(path, script, kind="own", name=""):
    return subprocess.Popen(
        [sys.executable, "-c", SETUP + script, str(path), kind, name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(path, script, kind="own"):
    with start(path, script, kind) as process:
        said, complaint = process.communicate(timeout=30)
    assert process.returncode == 0, complaint
    return said, complaint


def untimed(path):
    """The bytes of a file but for what the clock says."""
    return re.sub(rb"20\d\d-\d\d-\d\dT[\d:.]+Z", b"", path.read_bytes())


def test_processes_may_share_a_file(tmp_path):
    """Lines of any length that several processes write to one file at once are whole, and all there."""
    script = """
write("first")
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    write(f"{sys.argv[3]}-{number}", (100, 3_000, 9_000, 11_000)[number % 4])
"""
    path = tmp_path / "log"
    processes = [start(path, script, name=str(number)) for number in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        with process:
            assert process.communicate(timeout=30) == ("", "")
    found = [from_json(line).trace_id for line in path.read_text().splitlines()]
    expected = [f"{process}-{number}" for process in range(3) for number in range(200)]
    assert sorted(found) == sorted([*expected, *["first"] * 3])


def test_forked_child_writes_too(tmp_path):
    """A child forked while another thread was writing writes its lines, and the parent goes on."""
    script = """
import warnings
warnings.simplefilter("ignore")  # Python 3.12 warns of a fork beside threads, which is the point here
write("0"), write("1")
held, done = threading.Event(), threading.Event()

def hold():
    with handler.lock:
        held.set()
        done.wait()

thread = threading.Thread(target=hold)
thread.start()
held.wait()
child = os.fork()
if not child:
    write("child-0"), write("child-1")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
done.set()
thread.join()
write("2")
"""
    run(tmp_path / "log", script)
    found = [from_json(line).trace_id for line in (tmp_path / "log").read_text().splitlines()]
    assert found == ["0", "1", "child-0", "child-1", "2"]


def test_child_of_a_server_that_configured_before_its_fork_writes_too(tmp_path):
    """Where nothing was written before a fork, the file opened by the parent serves parent and children."""
    script = """
children = []
for name in ("child-0", "child-1"):
    child = os.fork()
    if not child:
        write(name), write(name)
        os._exit(0)
    children.append(child)
assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
write("parent")
"""
    run(tmp_path / "log", script)
    found = [from_json(line).trace_id for line in (tmp_path / "log").read_text().splitlines()]
    assert sorted(found) == ["child-0", "child-0", "child-1", "child-1", "parent"]


FULL = """
import signal
write("0"), write("1"), write("2")
now = os.path.getsize(sys.argv[1])
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (now + ROOM, hard))
for number in range(LOST):
    write(f"full-{number}")
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
write("3"), write("4"), write("5")
"""


@pytest.mark.parametrize("room", [0, 1, 700])
@pytest.mark.parametrize("lost", [1, 2, 40])
def test_full_disk_leaves_what_the_standard_handler_leaves(tmp_path, room, lost):
    """With room for no line or for a part of one, and then with room again, the file has the bytes that
    ``WatchedFileHandler`` leaves there, which finishes the line that broke off, and there is a complaint
    for each line.
    """
    script = FULL.replace("ROOM", str(room)).replace("LOST", str(lost))
    _, complaint = run(tmp_path / "own", script)
    _, expected = run(tmp_path / "standard", script, "standard")
    assert untimed(tmp_path / "own") == untimed(tmp_path / "standard")
    assert complaint.count("File too large") == expected.count("File too large") == lost


def test_shutdown_closes_the_file(tmp_path):
    """``logging.shutdown()`` flushes and closes it, as any handler."""
    said, complaint = run(
        tmp_path / "log",
        'write("0"); write("1"); logging.shutdown(); print(handler.stream)',
    )
    assert (said, complaint) == ("None\n", "")
    assert len((tmp_path / "log").read_text().splitlines()) == 2
