"""The scripts of ``tracedclient completion`` in the shells themselves."""

from __future__ import annotations

import subprocess

import pytest

from tracedclient.cli.completion import SHELLS, script


@pytest.fixture
def completing(tmp_path):
    """Runs a line of a shell beside our script for it, and returns the words it wrote."""

    def run(shell, command):
        path = tmp_path / "_tracedclient"
        path.write_text(script(shell))
        quiet = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
        done = subprocess.run(
            [shell, *quiet, "-c", command.replace("SCRIPT", str(path))],
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "TERM": "dumb"},
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_can_read_it(completing, shell):
    """The script is without a syntax error."""
    completing(shell, f"{shell} -n SCRIPT")


def test_bash_completes_commands_and_options(completing):
    """In bash, `tracedclient con<Tab>` is convert, and its --to knows the formats."""
    line = (
        "source SCRIPT; COMP_WORDS=({words}); COMP_CWORD={at}; "
        "$(complete -p tracedclient | grep -o -- '-F [^ ]*' | cut -c4-); echo \"${{COMPREPLY[@]}}\""
    )
    assert completing("bash", line.format(words="tracedclient con", at=1)).split() == ["convert"]
    formats = completing("bash", line.format(words="tracedclient convert --to ''", at=3)).split()
    assert {"har", "otlp-json", "chrome", "parquet"} <= set(formats)


def test_bash_offers_files(completing, tmp_path):
    """Where an argument is a file, bash offers the files that are there."""
    (tmp_path / "app.log").touch()
    line = (
        "source SCRIPT; COMP_WORDS=(tracedclient convert ap); COMP_CWORD=2; "
        "$(complete -p tracedclient | grep -o -- '-F [^ ]*' | cut -c4-); echo \"${COMPREPLY[@]}\""
    )
    assert completing("bash", line).split() == ["app.log"]


def test_fish_completes_commands_and_options(completing):
    """In fish, the commands come with their help, and --to knows the formats."""
    commands = completing("fish", "source SCRIPT; complete -C 'tracedclient con'")
    assert "convert\twrite the traces" in commands
    formats = completing("fish", "source SCRIPT; complete -C 'tracedclient convert --to '")
    assert {"har", "otlp-json", "chrome", "parquet"} <= set(formats.split())


def test_zsh_has_the_commands(completing):
    """In zsh, the function that completes us is defined, and lists the commands."""
    shown = completing(
        "zsh",
        "autoload -Uz compinit; compinit -u -D; source SCRIPT; "
        "_describe() { print -l -- ${(P)${@[-1]}} }; _shtab_tracedclient_commands",
    )
    assert "convert:" in shown
