"""Processes forked from one that has an updater: uWSGI, gunicorn --preload, multiprocessing."""

from __future__ import annotations

import subprocess
import sys

import pytest

PREFACE = """
import gc, os, sys, threading, time, warnings
from tracedclient.debug import FileSource, FlagSource, FlagUpdater
from tracedclient.debug.source import Absent, Document
warnings.simplefilter("ignore", DeprecationWarning)  # fork() in a process with threads

def eventually(holds):
    end = time.monotonic() + 10
    while not holds():
        if time.monotonic() > end:
            print("never came true")
            sys.exit(1)
        time.sleep(0.002)

def in_child(work):
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit(0)   # the whole way out: finalizers and atexit too
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

path = sys.argv[1]
def write(body):
    with open(path + "~", "wb") as file:
        file.write(body)
    os.replace(path + "~", path)
"""


def run(script, path):
    return subprocess.run(
        [sys.executable, "-c", PREFACE + script, str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("asked_before", [True, False])
def test_child_sees_a_flip(tmp_path, asked_before):
    """A child follows the flag with a thread of its own, whether or not its parent had one."""
    script = f"""
write(b"false")
flag = FlagUpdater(FileSource(path), interval=0.01)
if {asked_before}:
    assert not flag.is_on()
    assert threading.active_count() == 2

def child():
    assert threading.active_count() == 1
    assert not flag.is_on()
    assert threading.active_count() == 2
    write(b"true")
    eventually(flag.is_on)
    if os.getpid() % 2:
        flag.close()

for _ in range(8):
    write(b"false")
    if {asked_before}:
        eventually(lambda: not flag.is_on())
    in_child(child)
eventually(flag.is_on)
flag.close()
"""
    ran = run(script, tmp_path / "flag.json")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_grandchild_and_status(tmp_path):
    """What the parent knew holds in child and grandchild until they look for themselves."""
    script = """
write(b"true")
flag = FlagUpdater(FileSource(path), interval=0.01)
flag.is_on()

def generation(depth):
    assert flag.status().on
    assert flag.wait_ready(0)
    if depth:
        in_child(lambda: generation(depth - 1))

in_child(lambda: generation(2))
"""
    ran = run(script, tmp_path / "flag.json")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_source_is_told_in_the_child_only(tmp_path):
    """``after_fork`` comes once per child, never in the parent; what it raises harms nobody."""
    script = """
class Told(FlagSource):
    name, told = "told", 0
    def fetch(self, previous, *, wait, cancel):
        return Document(b"true", "r1")
    def after_fork(self):
        self.told += 1
        raise RuntimeError("in the child")

source = Told()
flag = FlagUpdater(source, interval=0.01)
assert flag.wait_ready(10)

def child():
    assert source.told == 1
    assert "in the child" in flag.status().last_error
    eventually(lambda: flag.is_on() and flag.status().last_error is None)

in_child(child)
assert source.told == 0
assert flag.is_on()
"""
    ran = run(script, tmp_path / "flag.json")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.count("in the child") == 1


def test_fork_while_the_thread_is_busy(tmp_path):
    """Whatever the parent's thread is doing at the moment of the fork, the child can go on."""
    script = """
class Busy(FlagSource):
    name, count = "busy", 0
    def fetch(self, previous, *, wait, cancel):
        self.count += 1
        return Document(b"true" if self.count % 2 else b"false", str(self.count))

sys.setswitchinterval(1e-6)
flag = FlagUpdater(Busy(), interval=1e-5)
flag.is_on()

def child():
    assert flag.wait_ready(10)
    seen = flag.status().revision
    flag.is_on()
    eventually(lambda: flag.status().revision != seen)
    flag.close()

for _ in range(15):
    in_child(child)
"""
    ran = run(script, tmp_path / "flag.json")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_fork_while_another_thread_starts_the_updater(tmp_path):
    """A lock held by a thread that the child does not have cannot stop the child."""
    script = """
starting, go_on = threading.Event(), threading.Event()

class Slow:
    time = staticmethod(time.time)
    def monotonic(self):
        if threading.current_thread().name == "starter":
            starting.set()
            go_on.wait(10)
        return time.monotonic()

write(b"true")
flag = FlagUpdater(FileSource(path), interval=0.01, clock=Slow())
starter = threading.Thread(target=flag.is_on, name="starter")
starter.start()
assert starting.wait(10)
assert flag.is_on()              # nor does a request of the parent wait for that lock

def child():
    flag.is_on()
    assert threading.active_count() == 2
    write(b"false")
    eventually(lambda: not flag.is_on())
    flag.close()

in_child(child)
go_on.set()
starter.join()
eventually(lambda: not flag.is_on())
"""
    ran = run(script, tmp_path / "flag.json")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_dropped_updater_does_not_follow_forks(tmp_path):
    """The fork hook holds no updater: one that was dropped is gone, in the child too."""
    script = """
write(b"true")
flag = FlagUpdater(FileSource(path), interval=0.01)
flag.is_on()
del flag
gc.collect()
in_child(lambda: None)
assert not [o for o in gc.get_objects() if type(o) is FlagUpdater]
"""
    ran = run(script, tmp_path / "flag.json")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
