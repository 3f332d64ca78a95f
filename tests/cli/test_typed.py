"""Commands that read what a pipe brings, on a terminal where none does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tracedclient.cli import main


@pytest.fixture
def terminal():
    """Both ends of a pseudo terminal: the keyboard's, and the program's."""
    leader, follower = os.openpty()
    yield leader, follower
    os.close(follower)
    os.close(leader)


def run(*argv, stdin):
    command = [sys.executable, "-m", "tracedclient", *argv]
    return subprocess.run(command, check=False, capture_output=True, timeout=30, stdin=stdin)


@pytest.mark.parametrize(
    "argv", [["report"], ["convert", "--to", "har"], ["tail"]], ids=lambda argv: argv[0]
)
def test_nobody_waits_for_a_log_to_be_typed(argv, terminal):
    """Without a file and without a pipe, a command says so at once, and waits for nothing."""
    done = run(*argv, stdin=terminal[1])
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"error: no FILE is given, and no pipe leads here\n" in done.stderr


def test_a_dash_on_a_terminal_is_taken_at_its_word(terminal):
    """With ``-`` what is typed is read, to its end."""
    keyboard, screen = terminal
    os.write(keyboard, b"no trace\n\x04")
    done = run("report", "-", stdin=screen)
    assert (done.returncode, done.stderr) == (1, b"tracedclient: no trace in what was read\n")


def test_a_document_may_be_typed(terminal):
    """`flag check` on a terminal says how what is pasted there ends, and reads it."""
    keyboard, screen = terminal
    os.write(keyboard, b"true\n\x04")
    done = run("flag", "check", stdin=screen)
    assert done.returncode == 0
    assert done.stderr == b"the document is read from this terminal; Ctrl-D ends it\n"
    assert done.stdout.startswith(b"on for 30 min")


def test_only_what_is_missing_is_asked_for(capsys):
    """`tracedclient logs` wants an id; the files may come from elsewhere."""
    with pytest.raises(SystemExit):
        main(["logs"])
    assert "error: the following arguments are required: TRACE_ID\n" in capsys.readouterr().err
