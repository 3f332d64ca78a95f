import argparse
import fcntl
import io
import os
import struct
import termios

import pytest

from tracedclient.cli.terminal import Style, add_color_argument, escape, width_of


@pytest.fixture
def terminal():
    """A real pseudo terminal of 30 rows and 132 columns, as the stream a program writes to."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 132, 0, 0))
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        yield stream
    os.close(master)


def file(encoding="utf-8"):
    """A stream that is no terminal."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


def test_a_terminal_gets_colour(terminal):
    """On a terminal, colour is the default."""
    assert Style.detect(terminal, environ={"TERM": "xterm"}).colour


def test_a_file_gets_no_colour():
    """What is redirected into a file holds no control sequences."""
    assert not Style.detect(file(), environ={"TERM": "xterm"}).colour


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_the_environment_can_forbid_colour(terminal, environ):
    """NO_COLOR and a dumb terminal switch colour off."""
    assert not Style.detect(terminal, environ=environ).colour


def test_an_empty_no_color_says_nothing(terminal):
    """NO_COLOR counts only when it is not empty, as no-color.org has it."""
    assert Style.detect(terminal, environ={"NO_COLOR": "", "TERM": "xterm"}).colour


def test_force_color_colours_a_file():
    """FORCE_COLOR gives colour where there is no terminal, as CI logs want it."""
    assert Style.detect(file(), environ={"FORCE_COLOR": "1"}).colour


def test_no_color_wins_over_force_color(terminal):
    """Of two contradicting variables the careful one wins."""
    environ = {"NO_COLOR": "1", "FORCE_COLOR": "1"}
    assert not Style.detect(terminal, environ=environ).colour


def test_the_option_wins_over_the_environment(terminal):
    """What was asked for on the command line decides."""
    assert Style.detect(file(), "always", environ={"NO_COLOR": "1"}).colour
    assert not Style.detect(terminal, "never", environ={"FORCE_COLOR": "1"}).colour


def test_an_unknown_choice_is_named():
    """A wrong choice is refused with the choices there are."""
    with pytest.raises(ValueError, match="color must be one of auto, always, never, not 'yes'"):
        Style.detect(file(), "yes")


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("utf-8", True), ("ascii", False), ("latin-1", False), ("cp1252", False)],
)
def test_the_encoding_decides_on_block_characters(encoding, expected):
    """Characters beyond ASCII are used only where the stream can encode all of them."""
    assert Style.detect(file(encoding), environ={}).unicode is expected


def test_a_stream_without_an_encoding_gets_ascii():
    """A stream that does not tell its encoding is given nothing it could choke on."""
    assert not Style.detect(io.StringIO(), environ={}).unicode


def test_the_width_is_the_terminals(terminal):
    """Lines are as long as the terminal is wide."""
    assert width_of(terminal) == 132


def test_a_terminal_of_unknown_size_is_80_wide(terminal):
    """A terminal that says 0 columns was never told its size."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
    assert width_of(terminal) == 80


def test_without_a_terminal_the_width_is_80(tmp_path):
    """A file, and a stream without a file behind it, get 80 columns."""
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        assert width_of(stream) == 80
    assert width_of(io.StringIO()) == 80


def test_paint_wraps_and_resets():
    """A painted text ends its own colour; without colour, or without codes, it stays bare."""
    assert Style(colour=True, unicode=True).paint("x", 1, 31) == "\x1b[1;31mx\x1b[0m"
    assert Style(colour=True, unicode=True).paint("x") == "x"
    assert Style(colour=False, unicode=True).paint("x", 1, 31) == "x"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("a\r\nb", r"a\r\nb"),
        ("\u202eevil", r"\u202eevil"),
        ("\x9b31m", r"\x9b31m"),
        ("\ud800", r"\ud800"),
        ("café 服", "café 服"),
    ],
)
def test_escape_shows_what_could_steer_a_terminal(text, shown):
    """Control, direction and surrogate characters are shown, text in any script stays."""
    assert escape(text) == shown


def test_escape_can_leave_ascii_alone():
    """For an ASCII stream everything else is shown by its number."""
    assert escape("café", unicode=False) == r"caf\xe9"


def test_color_option_takes_the_three_choices():
    """The option's value is one that detect takes."""
    parser = argparse.ArgumentParser()
    add_color_argument(parser)
    assert parser.parse_args([]).color == "auto"
    assert parser.parse_args(["--color", "never"]).color == "never"
