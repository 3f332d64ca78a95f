"""Terminals, pipes, encodings and pagers, each a real one."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import pytest
from logged import ID, app_line, trace_line

COMMAND = [sys.executable, "-m", "tracedclient", "logs"]
EVIL = f"{ID} \x1b[31m\x1b]0;owned\x07\x9b2J\u202e end\n".encode()


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(app_line(user="Jürgen") + trace_line() + EVIL)
    return path


def environment(**variables):
    given = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "PAGER": "cat", **variables}
    # tox sets the last one, which would go before any locale.
    ours = ("NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING")
    inherited = {k: v for k, v in os.environ.items() if k not in ours}
    return {**inherited, **given}


def in_terminal(*argv, columns=100, rows=200, **variables):
    """What the command writes to a terminal that is its stdin, stdout and stderr."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *map(str, argv)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(**variables),
    )
    os.close(slave)
    written = b""
    # At the end Linux fails to read from the terminal, instead of giving nothing.
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        written += piece
    os.close(master)
    return process.wait(10), written.decode().replace("\r\n", "\n")


def piped(*argv, **variables):
    done = subprocess.run(
        [*COMMAND, *map(str, argv)],
        check=False,
        capture_output=True,
        timeout=30,
        stdin=subprocess.DEVNULL,
        env=environment(**variables),
    )
    return done.returncode, done.stdout


def test_a_terminal_gets_colour_and_its_width(log):
    """On a terminal there is colour, and the page is as wide as that."""
    code, text = in_terminal(ID, log, columns=132)
    assert code == 0
    assert text.startswith("\x1b[1;32mOK after 1 retry")
    assert "─" not in text
    assert max(len(line) for line in text.split("\n") if "│" in line) > 120


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_forbidden(log, variables):
    """NO_COLOR and a dumb terminal get no control sequence."""
    assert "\x1b" not in in_terminal(ID, log, **variables)[1]


def test_a_pipe_gets_colour_only_when_it_is_forced(log):
    """A pipe gets plain text of 80 columns; FORCE_COLOR and --color always give it colour."""
    assert b"\x1b" not in piped(ID, log)[1]
    assert piped(ID, log, FORCE_COLOR="1")[1].startswith(b"\x1b[1;32mOK")
    assert piped(ID, log, "--color", "always")[1].startswith(b"\x1b[1;32mOK")
    assert b"\x1b" not in piped(ID, log, "--color", "never", FORCE_COLOR="1")[1]


@pytest.mark.parametrize("form", [(), ("--md",), ("--json",), ("--raw",)])
def test_another_locale_gets_ascii(log, form):
    """Where the locale is not UTF-8, everything is drawn and escaped in ASCII."""
    code, out = piped(ID, log, *form, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert code == 0
    assert out.isascii()
    assert b"J\\xfcrgen" in out or b"J\\u00fcrgen" in out


@pytest.mark.parametrize("form", [(), ("--md",), ("--json",), ("--raw",)])
def test_nothing_in_a_log_steers_the_terminal(log, form):
    """Escape sequences, C1 controls and bidirectional overrides of a log are shown, not obeyed."""
    _, text = in_terminal(ID, log, *form, NO_COLOR="1")
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


def test_what_is_said_on_stderr_is_escaped(tmp_path):
    """The names of files are data too."""
    done = in_terminal(ID, tmp_path / "\x1b[2Jx", NO_COLOR="1")
    assert done[0] == 2
    assert "\x1b" not in done[1]
    assert "\\x1b[2Jx" in done[1]


def test_a_long_page_goes_through_the_pager(log):
    """On a terminal of few rows the page goes through PAGER, whatever its arguments, in colour."""
    _, text = in_terminal(ID, log, rows=10, PAGER="sed 's/^/| /'")
    assert "| \x1b[1;32mOK after 1 retry" in text
    assert "| \x1b" not in in_terminal(ID, log, rows=10, PAGER="sed 's/^/| /'", TERM="dumb")[1]
    assert "| \x1b" not in in_terminal(ID, log, "--no-pager", rows=10, PAGER="sed 's/^/| /'")[1]
    assert "| \x1b" not in in_terminal(ID, log, rows=200, PAGER="sed 's/^/| /'")[1]


@pytest.mark.parametrize("pager", ["no-such-pager", "", "'"])
def test_a_pager_that_is_not_there_is_done_without(log, pager):
    """Without a pager that starts, the page is printed."""
    assert "OK after 1 retry" in in_terminal(ID, log, rows=10, PAGER=pager)[1]


def test_a_pager_that_is_left_early_is_no_error(log):
    """Who quits the pager has seen enough."""
    code, text = in_terminal(ID, log, rows=10, PAGER="head -n 1")
    assert code == 0
    assert "Traceback" not in text


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path):
    """`logs … --raw | head` ends with the code of SIGPIPE, without a traceback."""
    path = tmp_path / "app.log"
    path.write_bytes(f"{ID} {'x' * 100}\n".encode() * 20_000)
    process = subprocess.Popen(
        [*COMMAND, ID, str(path), "--raw"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait(10) == 141
    assert b"Traceback" not in said


def test_a_long_search_shows_how_far_it_is(tmp_path):
    """On a terminal, a search of more than a second shows its progress, and takes it away again."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = threading.Event()

    def feed():
        with fifo.open("wb") as pipe:
            while not done.is_set():
                pipe.write(b"x" * 999 + b"\n")
                pipe.flush()
                time.sleep(0.001)
            pipe.write(trace_line())

    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, ID, str(fifo)], stdout=subprocess.PIPE, stderr=slave, env=environment()
    )
    os.close(slave)
    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        seen = b""
        while b"/s, 0 lines found" not in seen:
            assert select.select([master], [], [], 20)[0], "no progress was shown"
            seen += os.read(master, 4096)
    finally:
        done.set()
        feeder.join()
        out = process.stdout.read()
        process.stdout.close()
        code = process.wait(10)
        os.close(master)
    assert code == 0
    assert out.startswith(b"OK after 1 retry")


class Follower:
    """The command with --follow, and what it has written so far."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, argv), "--follow"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
        self.seen = b""

    def wait_for(self, text):
        while text not in self.seen:
            assert select.select([self.process.stdout], [], [], 20)[0], self.seen
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, self.seen
            self.seen += piece

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.stdout.close()
        self.process.wait(10)


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def test_follow_shows_what_is_written(tmp_path):
    """What is there comes first, then each line and trace as it is written, over rotation and
    truncation; Ctrl-C ends it with 130."""
    path = tmp_path / "app.log"
    path.write_bytes(app_line("first"))
    with Follower(ID, path) as follower:
        follower.wait_for(b"first")
        append(path, trace_line()[:500])
        append(path, trace_line()[500:])
        follower.wait_for(b"OK after 1 retry")
        path.rename(tmp_path / "app.log.1")
        path.write_bytes(app_line("rotated"))
        follower.wait_for(b"rotated")
        follower.wait_for(b"was replaced; reading the new file")
        path.write_bytes(b"")
        follower.wait_for(b"was truncated")
        append(path, app_line("again"))
        follower.wait_for(b"again")
        assert follower.seen.count(b"OK after 1 retry") == 1
        follower.process.send_signal(signal.SIGINT)
        assert follower.process.wait(10) == 130


def test_follow_waits_for_a_file_and_ends_with_the_first_trace(tmp_path):
    """A file that is not there yet is waited for; --first ends with the first trace, --json and
    --only-traces go with it."""
    path = tmp_path / "app.log"
    (tmp_path / "other.log").write_bytes(b"")
    with Follower(
        ID, path, tmp_path / "other.log", "--first", "--json", "--only-traces"
    ) as follower:
        path.write_bytes(app_line() + trace_line())
        follower.wait_for(b'"kind": "trace"')
        assert follower.process.wait(10) == 0
    assert b'"kind": "line"' not in follower.seen


def test_follow_needs_a_file(tmp_path):
    """A pattern that matches nothing cannot be followed."""
    with Follower(ID, tmp_path / "*.log") as follower:
        follower.wait_for(b"no file matches")
        assert follower.process.wait(10) == 2
