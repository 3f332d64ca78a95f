"""The pager and the progress on a pseudo terminal, within this process."""

from __future__ import annotations

import fcntl
import io
import os
import select
import struct
import sys
import termios

import pytest

from tracedclient.cli.logs.pager import show
from tracedclient.cli.logs.progress import Progress
from tracedclient.cli.reading.blocks import Block
from tracedclient.cli.reading.inputs import Input
from tracedclient.cli.reading.tally import Tally

PAGE = "\n".join(["line"] * 30)


class Terminal:
    """A terminal of 10 rows."""

    def __init__(self):
        self.master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 80, 0, 0))
        raw = os.fdopen(slave, "wb", buffering=0)
        self.stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)

    def attach(self, monkeypatch, term="xterm"):
        """Make it this process's terminal, for as long as the test takes."""
        monkeypatch.setenv("TERM", term)
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, self.stream)

    def written(self, expected=""):
        """What has been written; a terminal gives it by and by, so wait for as much as expected."""
        read = ""
        while select.select([self.master], [], [], 5 if len(read) < len(expected) else 0)[0]:
            read += os.read(self.master, 65536).decode().replace("\r\n", "\n")
        return read


@pytest.fixture
def terminal():
    made = Terminal()
    yield made
    made.stream.close()
    os.close(made.master)


def test_the_pager_gets_what_is_too_long(terminal, monkeypatch, capfd):
    """Thirty lines do not fit ten rows: PAGER gets them, and nothing else is printed."""
    terminal.attach(monkeypatch)
    monkeypatch.setenv("PAGER", "sed s/line/paged/")
    show(PAGE, wanted=True)
    assert terminal.written() == ""
    assert capfd.readouterr().out == PAGE.replace("line", "paged") + "\n"


@pytest.mark.parametrize(
    ("page", "pager", "wanted", "term"),
    [
        ("short", "sed s/line/paged/", True, "xterm"),
        (PAGE, "sed s/line/paged/", False, "xterm"),
        (PAGE, "sed s/line/paged/", True, "dumb"),
        (PAGE, "no-such-pager", True, "xterm"),
        (PAGE, "", True, "xterm"),
        (PAGE, "'", True, "xterm"),
    ],
)
def test_else_it_is_printed(terminal, monkeypatch, capfd, page, pager, wanted, term):
    """What fits, what shall not be paged, and what no pager takes, is printed."""
    terminal.attach(monkeypatch, term)
    monkeypatch.setenv("PAGER", pager)
    show(page, wanted=wanted)
    assert terminal.written(f"{page}\n") == f"{page}\n"
    assert capfd.readouterr().out == ""


def test_progress_is_shown_from_the_first_second_on(terminal, tmp_path, monkeypatch):
    """After a second the file, its share, the speed and the hits are shown, and cleared at the end."""
    terminal.attach(monkeypatch)
    path = tmp_path / "app.log"
    path.write_bytes(bytes(100))
    now = iter([0.0, 0.5, 1.5, 1.5, 1.6, 9.0, 9.0, 9.5, 9.5])
    tally = Tally()
    tally.files = 1
    progress = Progress(tally, clock=lambda: next(now))
    watched = progress.watch(
        (Block(offset, bytearray(10), 10) for offset in (0, 40, 60, 200)), Input(str(path), True)
    )
    shown = []
    for block in watched:
        tally.bytes += block.end
        shown.append(terminal.written("x" if block.offset in (40, 200) else ""))
    progress.end()
    assert [text.partition("\x1b[K")[2] for text in shown] == [
        "",
        "file 1 50%, 7 B/s, 0 lines found",
        "",
        "file 1, 3 B/s, 0 lines found",
    ]
    assert terminal.written("x") == "\r\x1b[K"


def test_progress_of_a_pipe_has_no_share(terminal, monkeypatch):
    """How much is yet to come through a pipe is not known, and not told."""
    terminal.attach(monkeypatch)
    now = iter([0.0, 2.0, 2.0])
    progress = Progress(Tally(), clock=lambda: next(now))
    assert len(list(progress.watch([Block(0, bytearray(1), 1)], Input("-", False)))) == 1
    line = "\r\x1b[Kfile 0, 0 B/s, 0 lines found"
    assert terminal.written(line) == line
