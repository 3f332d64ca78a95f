import os
import subprocess
import sys

import pytest

from tracedclient import __version__
from tracedclient.cli import main


def python(*args):
    command = [sys.executable, *args]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def test_the_module_is_the_command():
    """`python -m tracedclient --version` tells the version and ends well."""
    done = python("-m", "tracedclient", "--version")
    assert (done.returncode, done.stdout) == (0, f"tracedclient {__version__}\n")


def test_help_names_every_command(capsys):
    """`tracedclient --help` lists what there is."""
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert {"completion", "convert", "demo", "lnav-format", "schema", "stat"} <= set(
        capsys.readouterr().out.split()
    )


@pytest.mark.parametrize("argv", [[], ["stats"], ["stat", "--no-such-option"]])
def test_wrong_usage_is_exit_code_2(argv, capsys):
    """No command, an unknown one, or an unknown option: usage on stderr, exit code 2."""
    with pytest.raises(SystemExit) as end:
        main(argv)
    assert end.value.code == 2
    assert "usage: tracedclient" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (
            ["stat", "http://a.test", "--fromat", "box"],
            "tracedclient stat: error: unrecognized arguments: --fromat box; did you mean --format?",
        ),
        (
            ["flag", "on", "--hots=a.test", "--percnet=3"],
            "flag on: error: unrecognized arguments: --hots=a.test --percnet=3; did you mean --host, --percent?",
        ),
        (["logs", "4bf92f35", "app.log", "--nothing-like-it"], "arguments: --nothing-like-it\n"),
        (["stat", "http://a.test/a", "b"], "tracedclient stat: error: unrecognized arguments: b\n"),
    ],
)
def test_what_a_command_does_not_know_is_told_with_its_usage(argv, words, capsys):
    """An argument that is too many: the usage of that very command, and the option that was meant."""
    with pytest.raises(SystemExit) as end:
        main(argv)
    told = capsys.readouterr().err
    command = " ".join(one for one in argv[:2] if one in {"stat", "flag", "on", "logs"})
    assert end.value.code == 2
    assert told.startswith(f"usage: tracedclient {command} [-h]")
    assert words in told


@pytest.mark.parametrize(("argv", "loaded"), [([], []), (["stat"], ["stat"]), (["demo"], ["demo"])])
def test_a_command_is_imported_only_when_it_is_given(argv, loaded):
    """The command line loads the module of the command that was given, and of no other."""
    code = (
        "import sys; from contextlib import suppress; from tracedclient.cli import main\n"
        f"with suppress(SystemExit): main([*{argv}, '--help'])\n"
        "print([name for name in ('stat', 'demo') if f'tracedclient.cli.{name}' in sys.modules])"
    )
    assert python("-c", code).stdout.splitlines()[-1] == str(loaded)


def test_the_command_line_starts_without_requests():
    """What the command line itself imports is little: neither requests nor structlog."""
    code = (
        "import sys, tracedclient.cli;"
        "print([name for name in ('requests', 'structlog', 'msgspec') if name in sys.modules])"
    )
    assert python("-c", code).stdout == "[]\n"


def test_a_reader_that_goes_away_is_no_error():
    """`tracedclient ... | head` ends quietly, without a traceback, with the code of SIGPIPE."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "tracedclient", "stat", "http://nowhere.invalid/"]
    done = subprocess.run(
        command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
