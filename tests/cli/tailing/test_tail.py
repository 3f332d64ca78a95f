import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections import Counter
from contextlib import closing

import pytest
from drawing import COLOURED, PLAIN
from report_logs import call, lines

from tracedclient.cli import main
from tracedclient.cli.columns import columns
from tracedclient.cli.page import Page
from tracedclient.cli.tailing.board import Board
from tracedclient.cli.tailing.feed import Feed
from tracedclient.cli.tailing.oneline import one_line
from tracedclient.trace.schema import to_json

COMMAND = [sys.executable, "-W", "error", "-m", "tracedclient", "tail"]
PATIENCE_S = 20


def line(number, *args, **fields):
    return to_json(call(number, *args, **fields)) + b"\n"


class Tail:
    """The command as it runs; ``until`` reads what it prints up to a text."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(
            [*COMMAND, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.out = self.err = b""

    def until(self, text, *, err=False):
        stream = self.process.stderr if err else self.process.stdout
        seen, end = b"", time.monotonic() + PATIENCE_S
        while text not in seen:
            left = end - time.monotonic()
            assert left > 0, f"no {text!r} in {seen!r}"
            if select.select([stream], [], [], left)[0]:
                data = os.read(stream.fileno(), 65536)
                assert data, f"ended without {text!r}: {seen!r}"
                seen += data
        return seen.decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        with self.process:
            self.process.wait(PATIENCE_S)


def run(data, *argv):
    return subprocess.run(
        [*COMMAND, *argv], input=data, capture_output=True, check=False, timeout=50
    )


def test_a_pipe_has_a_line_for_each_call():
    """Not on a terminal: one line per trace, the application's lines left out; ends with its input."""
    done = run(b"\n".join([*lines([call(1), call(2, 1234.0, outcome="timeout")]), b""]))
    assert (done.returncode, done.stderr) == (0, b"")
    first, second = done.stdout.decode().splitlines()
    assert first.startswith("22:27:59.009  50.0 ms  ok  GET https://api.example.com/v1/orders/1")
    assert f"{2:032x}" in second
    assert "1234 ms  timeout" in second


def test_the_last_line_of_a_pipe_needs_no_newline():
    """A writer that stops in the middle of nothing is understood; half a record is said."""
    done = run(line(1) + line(2)[:-1])
    assert len(done.stdout.splitlines()) == 2
    done = run(line(1) + line(2)[:200])
    assert len(done.stdout.splitlines()) == 1
    assert b"1 line half a record" in done.stderr


def test_bad_leaves_out_what_went_well():
    """--bad shows what failed or took --slow milliseconds."""
    data = line(1) + line(2, 900.0) + line(3, outcome="timeout")
    assert len(run(data, "--bad").stdout.splitlines()) == 2
    assert len(run(data, "--bad", "--slow", "1000").stdout.splitlines()) == 1


def test_a_growing_file_is_followed(tmp_path):
    """What is appended appears; what was there before does not, unless --from-start."""
    log = tmp_path / "app.log"
    log.write_bytes(line(1))
    with Tail("--from-start", log) as tail, Tail(log) as late:
        tail.until(f"{1:032x}".encode())
        # The end is looked up when the command starts: written until it is seen.
        seen = ""
        for number in range(2, 200):
            with log.open("ab") as file:
                file.write(line(number))
            if select.select([late.process.stdout], [], [], 0.1)[0]:
                seen = late.until(b"\n")
                break
        assert seen
        assert f"{1:032x}" not in seen
        tail.until(f"{2:032x}".encode())


def test_rotation_is_followed_and_said(tmp_path):
    """A file that was renamed is read to its end, and the new one under its name from the start."""
    log = tmp_path / "app.log"
    log.write_bytes(line(1))
    with Tail("--from-start", log) as tail:
        tail.until(f"{1:032x}".encode())
        log.rename(tmp_path / "app.log.1")
        with (tmp_path / "app.log.1").open("ab") as file:
            file.write(line(2))
        tail.until(f"{2:032x}".encode())
        log.write_bytes(line(3))
        tail.until(f"{3:032x}".encode())
        assert "was replaced" in tail.until(b"\n", err=True)


def test_truncation_is_followed_and_said(tmp_path):
    """A file that was emptied is read from its beginning."""
    log = tmp_path / "app.log"
    log.write_bytes(line(1) + line(2))
    with Tail("--from-start", log) as tail:
        tail.until(f"{2:032x}".encode())
        log.write_bytes(line(3))
        tail.until(f"{3:032x}".encode())
        assert "was truncated" in tail.until(b"\n", err=True)


def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path):
    """A service that has not started has no log: it appears when it does."""
    log = tmp_path / "app.log"
    with Tail(log) as tail:
        tail.until(b"is not there yet", err=True)
        other = tmp_path / "other"
        other.write_bytes(line(1))
        other.rename(log)
        tail.until(f"{1:032x}".encode())


def test_the_feed_has_the_traces_of_several_files(tmp_path):
    """Files are followed together; half a line waits for its end, and what is odd is counted."""
    logs = [tmp_path / name for name in ("a.log", "b.log")]
    for number, log in enumerate(logs):
        log.write_bytes(line(number) + line(9)[:50])
    oddities = Counter()
    with closing(Feed(list(map(str, logs)), oddities, from_end=False)) as feed:
        assert [trace.trace_id for trace in feed.look()] == [f"{n:032x}" for n in range(2)]
        assert list(feed.look()) == []
        with logs[0].open("ab") as file:
            file.write(line(9)[50:] + b'{"schema": "tracedclient.trace/1", "tr\n')
        assert [trace.trace_id for trace in feed.look()] == [f"{9:032x}"]
        logs[1].write_bytes(line(3))
        assert [trace.trace_id for trace in feed.look()] == [f"{3:032x}"]
        assert feed.notes() == [f"{logs[1]} was truncated; reading from its beginning"]
        assert not feed.is_over()
    assert list(oddities.values()) == [1]


def test_ctrl_c_ends_it(tmp_path):
    """Ctrl-C is exit code 130, without a traceback."""
    log = tmp_path / "app.log"
    log.write_bytes(line(1))
    with Tail("--from-start", log) as tail:
        tail.until(b"\n")
    assert tail.process.returncode == 130


def test_nothing_in_a_log_steers_the_terminal():
    """Control characters are shown and not sent, and a line stays one line."""
    said = "\x1b[2J\u202e\nx"
    text = one_line(
        call(1, outcome=said, url=said, verdict_culprit=said), Page(80, PLAIN), 1e3, cut=False
    )
    assert text.isprintable()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_board_fits_the_screen(width):
    """No line is wider and there are no more lines than the screen has, whatever is logged."""
    board = Board(500.0)
    assert "waiting for traces" in " ".join(board.lines(Page(width, PLAIN), 24))
    for number in range(700):
        board.add(call(number, number * 1.0, url="https://api.example.com/" + "服" * 100))
    drawn = list(board.lines(Page(width, PLAIN), 24, ["a" * 300]))
    assert len(drawn) <= 24
    assert max(map(columns, drawn)) <= width


def test_the_board_has_the_last_first_and_the_bad_apart():
    """Errors stay on the screen when hundreds of good calls have come after."""
    board = Board(500.0)
    board.add(call(1, outcome="timeout"))
    for number in range(2, 300):
        board.add(call(number, 10.0))
    drawn = list(board.lines(Page(160, PLAIN), 24))
    assert board.summary() == "299 calls, 1 error, 0 of 500 ms or longer"
    bad, newest = drawn.index("Failed or slow, the last first"), drawn.index("All, the last first")
    assert f"{1:032x}" in drawn[bad + 1]
    assert f"{299:032x}" in drawn[newest + 1]


def test_colours_tell_errors_from_slow_calls():
    """Red failed, yellow was slow, and the words say it too."""
    painted = [
        one_line(made, Page(80, COLOURED), 500.0, cut=True)
        for made in (call(1), call(1, 600.0), call(1, outcome="timeout"))
    ]
    assert [re.match(r"\x1b\[(\d+)m", text) and text[2:4] for text in painted] == [None, "33", "31"]


def test_a_terminal_has_a_live_table(tmp_path):
    """On a terminal the table is drawn on a screen of its own, which is left on Ctrl-C."""
    log = tmp_path / "app.log"
    log.write_bytes(line(1) + line(2, outcome="timeout"))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    with subprocess.Popen(
        [*COMMAND, "--from-start", log],
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        os.close(slave)
        seen = b""
        while b"2 calls, 1 error" not in seen:
            seen += os.read(master, 65536)
        process.send_signal(signal.SIGINT)
        while b"\x1b[?1049l" not in seen:
            seen += os.read(master, 65536)
        assert process.wait(PATIENCE_S) == 130
    os.close(master)
    assert b"\x1b[?1049h" in seen
    assert b"Failed or slow" in seen


@pytest.mark.parametrize(("argv", "why"), [(["--slow", "0"], "--slow"), (["-", "x"], "together")])
def test_a_wrong_usage_is_refused(argv, why, capsys):
    """What makes no sense is exit code 2, with what is wrong about it."""
    with pytest.raises(SystemExit) as ended:
        main(["tail", *argv])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err
