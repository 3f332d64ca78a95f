"""``tracedclient doctor`` as it is typed."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
import servers
from logs_of_traces import RETRIED, line

from tracedclient.cli import main
from tracedclient.cli.doctor.command import SCHEMA


def doctor(*argv):
    return main(["doctor", *map(str, argv)])


def test_each_check_has_its_line(capsys):
    """Without arguments the machine is looked at, one finding after the other, and that is exit code 0."""
    assert doctor() == 0
    words = capsys.readouterr().out
    assert all(f" {check}: " in words for check in ("logging", "proxy", "ca", "files", "versions"))
    assert "\x1b" not in words


def test_a_problem_is_exit_code_1(capsys):
    """A source that is not there is a problem, and what to do about it stands beneath it."""
    assert doctor("--flag", f"http://127.0.0.1:{servers.refused_port()}/") == 1
    assert "problem   flag: http://127.0.0.1:" in capsys.readouterr().out


def test_json_has_one_finding_a_line(capsys, tmp_path):
    """With --json each finding is an object with its schema, and nothing else is written."""
    log = tmp_path / "app.log"
    log.write_text(line(RETRIED) + "\n")
    assert doctor("--json", "--check-log", log) == 0
    found = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert {f["schema"] for f in found} == {SCHEMA}
    assert {f["state"] for f in found} <= {"good", "attention", "problem"}
    assert found[0]["facts"] == {"trace_id": RETRIED.trace_id}


def test_a_server_is_looked_at_from_all_sides(capsys):
    """--url says how the server is reached, and whether it can be."""
    with servers.serve(servers.echo) as server:
        assert doctor("--url", server.url) == 0
    words = capsys.readouterr().out
    assert "is reached directly" in words
    assert "reach: http://127.0.0.1:" in words


@pytest.mark.parametrize(
    "wrong", [["--flag", "redis:x"], ["--url", "api.example.org"], ["--url", "http://[::1"]]
)
def test_wrong_usage(wrong, capsys):
    """A source or a URL that is none is wrong usage: exit code 2, and how it is spelled."""
    with pytest.raises(SystemExit) as end:
        doctor(*wrong)
    assert end.value.code == 2
    assert "must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    "source",
    [
        "http://bob:hunter2@127.0.0.1:9/flag?token=hunter2",
        "http://bob:hunter2@[x",
        "etcd:http://bob:hunter2@127.0.0.1:9",
        "etcd:http://127.0.0.1:9?password=hunter2",
        "apollo:http://bob:hunter2@127.0.0.1:9?app_id=orders",
    ],
)
def test_credentials_of_a_source_are_not_shown(source, capsys):
    """A password in a source's address is in no line and in no message, whether it is taken or not."""
    with suppress(SystemExit):
        doctor("--flag", source)
    assert "hunter2" not in "".join(capsys.readouterr())


def test_what_is_shown_is_escaped(capsys):
    """A file's name cannot steer the terminal."""
    assert doctor("--check-log", "\x1b[31m") == 1
    assert "\x1b" not in capsys.readouterr().out


def test_colour_is_where_it_is_asked_for(capsys):
    """With --color always the states are coloured."""
    doctor("--color", "always")
    assert "\x1b[32mgood" in capsys.readouterr().out
