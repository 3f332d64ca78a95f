"""``tracedclient flag``: the command, on real files and a real server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient import HTTPClient
from tracedclient.cli import main
from tracedclient.cli.flag_places import (
    APOLLO_ACCESS_KEY,
    APOLLO_TOKEN,
    AUTHORIZATION,
    ETCD_PASSWORD,
)
from tracedclient.debug import FileSource

IN_2040 = 2224900800
DOCUMENT = {
    "schema": 1,
    "enabled": True,
    "until": IN_2040,
    "updated_by": "alice",
    "reason": "INC-4711",
    "rules": [{"id": "pay", "hosts": ["api.pay.com"], "percent": 10}, {"id": "all"}],
}
SAID = """\
on until 2040-07-03 04:00 UTC (in N days), by alice, because of INC-4711
the first of these that matches a call decides:
  pay: every call to api.pay.com, one call in ten
  all: every call
at most 100 lines a second in each process
warning: until is N days away, and is cut: each process ends it 4 h after it
  has first seen it
"""


def flag(*argv, code=0):
    assert main(["flag", *map(str, argv)]) == code


def usage_error(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        main(["flag", *map(str, argv)])
    assert end.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def without_days(text):
    return re.sub(r"\d+ days", "N days", text)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "flag.json"


@pytest.fixture
def published(path):
    """A file with ``DOCUMENT``."""
    path.write_text(json.dumps(DOCUMENT))
    return path


# --- on and off -----------------------------------------------------------------------------------


def test_on_prints_the_document(capsys):
    """Without a place, the document alone is on stdout, for a pipe, and what it means on stderr."""
    flag("on", "--host", "b.internal", "--method", "post", "--path", "/v1/*", "--instance", "web-7*",
         "--percent", "10", "--emit", "errors_or_slow", "--slow-ms", "500", "--level", "headers",
         "--max-per-second", "5", "--for", "1h30m", "--reason", "INC-4711", "--by", "alice")  # fmt: skip
    printed = capsys.readouterr()
    document = json.loads(printed.out)

    assert document.pop("until") - time.time() == pytest.approx(5400, abs=30)
    assert document == {
        "schema": 1,
        "enabled": True,
        "updated_by": "alice",
        "reason": "INC-4711",
        "max_per_second": 5,
        "rules": [
            {
                "id": "INC-4711",
                "hosts": ["b.internal"],
                "methods": ["POST"],
                "paths": ["/v1/*"],
                "instances": ["web-7*"],
                "percent": 10,
                "emit": "errors_or_slow",
                "slow_ms": 500,
                "level": "headers",
            }
        ],
    }
    assert re.sub(r"until .* UTC", "until T UTC", printed.err) == (
        "on until T UTC (in 90 min), by alice, because of INC-4711\n"
        "  INC-4711: every POST to b.internal whose path begins with /v1/, on instances\n"
        "    web-7*, one call in ten, only errors and calls from 500 ms, with its headers\n"
        "at most 5 lines a second in each process\n"
    )


def test_a_client_follows_on_and_off(path, capsys):
    """What the command writes into a file is what a client with that file does."""
    path.write_text("false")
    flag("on", "--file", path, "--host", "b.internal")
    with HTTPClient(debug=FileSource(path), sinks=()) as client:
        assert client.debug.status().on
    flag("off", "--file", path)
    with HTTPClient(debug=FileSource(path), sinks=()) as client:
        assert not client.debug.status().on
    assert capsys.readouterr().err == ""


def test_who_it_is_unless_given(monkeypatch, capsys):
    """The login name stands in the document, for half an hour, when no other is given."""
    monkeypatch.setenv("LOGNAME", "carol")
    flag("on")
    document = json.loads(capsys.readouterr().out)

    assert document["updated_by"] == "carol"
    assert document["until"] - time.time() == pytest.approx(1800, abs=30)
    assert document["rules"] == [{"id": "flag-on"}]


def test_it_says_what_it_replaces(published, capsys):
    """Who publishes learns whose flag has gone by that, and when there was none."""
    flag("off", "--file", published, "--by", "bob", "--reason", "fixed")
    said = without_days(capsys.readouterr().out)
    flag("off", "--file", published.with_name("new.json"))
    nothing = capsys.readouterr().out
    published.write_text("<html>")
    flag("off", "--file", published)

    assert " ".join(said.split()).startswith("published to file:/")
    assert said.endswith(
        "off, by bob, because of fixed\n"
        "it replaces: on until 2040-07-03 04:00 UTC (in N days), by alice, because of\n"
        "  INC-4711\n"
    )
    assert nothing.endswith("nothing was there before\n")
    assert capsys.readouterr().out.endswith("it replaces what was no flag document\n")


def test_a_file_that_cannot_be_written(tmp_path, capsys):
    """It is an error of usage, told in one line, and nothing is left behind."""
    flag("on", "--file", tmp_path / "none" / "flag.json", code=2)
    none = capsys.readouterr().err
    flag("on", "--file", tmp_path, code=2)

    assert (
        none
        == f"tracedclient: cannot write file:{tmp_path}/none/flag.json: No such file or directory\n"
    )
    assert capsys.readouterr().err.endswith("is not a regular file\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), "the following arguments are required: ACTION"),
        (("on", "--for", "30"), "argument --for: '30' is not a time such as 30m, 2h, 90s or 1h30m"),
        (("on", "--for", "0m"), "argument --for: '0m' is not a time"),
        (("on", "--for", "9999h"), "argument --for: '9999h' is not a time"),
        (("on", "--percent", "10%"), "argument --percent: '10%' is not a number"),
        (("on", "--percent", "nan"), "argument --percent: 'nan' is not a number"),
        (("on", "--percent", "101"), "argument --percent: 101 is refused; write a number from 0"),
        (("on", "--host", "http://b"), 'argument --host: "http://b" is refused; write a name or'),
        (("on", "--host", "b:80"), "argument --host: rule 'flag-on': hosts have no port"),
        (("on", "--path", "v1"), 'argument --path: "v1" is refused; write a path, which begins with /'),
        (("on", "--method", "P T"), 'argument --method: "P T" is refused; write a method'),
        (("on", "--max-per-second", "0"), "argument --max-per-second: 0 is refused; write a number"),
        (("on", "--id", "a b"), 'argument --id: "a b" is refused; write a name'),
        (("on", "--emit", "slow"), "argument --slow-ms: --emit slow and errors_or_slow need it"),
        (("on", "--slow-ms", "5"), "argument --slow-ms: --emit slow and errors_or_slow need it, only"),
        (
            ("on", *(word for n in range(99) for word in ("--host", f"{n:0900}"))),
            "error: the document is larger than 64 kB",
        ),
        (
            ("on", *(word for n in range(101) for word in ("--host", f"{n}"))),
            'argument --host: [ "0", "1", "2",',
        ),
        (("on", "--reason", "a\nb"), r"argument --reason: 'a\nb' is not a printable text"),
        (("on", "--host", "\udcff"), r"argument --host: '\udcff' is not a printable text"),
        (("on", "--file", ""), "argument --file: path must name a file"),
        (("on", "--key", "k"), "argument --key: it does not go with no place to keep it"),
        (("on", "--file", "f", "--app", "a"), "argument --app: it does not go with --file"),
        (("on", "--file", "f", "--etcd", "http://e"), "not allowed with argument --file"),
        (("on", "--etcd", "e"), "argument --etcd: endpoints must begin with http:// or https://"),
        (("on", "--etcd", "http://e", "--user", "u"), "--user and a password in TRACEDCLIENT_ETCD_PASS"),
        (("on", "--apollo", "http://a"), "argument --apollo: it needs --app and --env"),
        (
            ("on", "--apollo", "http://a", "--app", "a", "--env", "PRO"),
            (
                "the token of an application that may change the namespace must stand in the "
                "environment, in TRACEDCLIENT_APOLLO_TOKEN"
            ),
        ),
        (("on", "--url", "http://a"), "unrecognized arguments: --url"),
        (("show",), "one of the arguments --file --etcd --apollo --apollo-meta --url is required"),
        (("show", "--url", "http://u:p@a/"), "a password in an argument is seen by every user"),
        (("show", "--url", "http://a/", "--cacert", "none.pem"), "verify: there is no file"),
        (("show", "--apollo-meta", "http://a/"), "argument --apollo-meta: it needs --app"),
    ],
)  # fmt: skip
def test_wrong_usage(argv, words, capsys):
    """Exit code 2, and one line that names the argument, what is wrong, and what to do."""
    assert words in usage_error(capsys, *argv)


def test_off_needs_no_help(capsys):
    """Off takes who and why, and a place, and nothing of what is traced."""
    assert "unrecognized arguments: --host" in usage_error(capsys, "off", "--host", "a")


def test_warnings_do_not_stop_it(capsys):
    """What is surely not meant is said, and done."""
    flag("on", "--percent", "0", "--for", "5h")
    printed = capsys.readouterr()

    assert json.loads(printed.out)["rules"][0]["percent"] == 0
    assert "warning: rule 'flag-on': percent 0 matches no call\n" in printed.err
    assert "warning: until is 5 h away, and is cut" in printed.err


# --- check ----------------------------------------------------------------------------------------


def test_check_says_what_it_traces(published, capsys):
    """A good document is told in words, with what is to be thought over; the exit code is 0."""
    flag("check", published)
    assert without_days(capsys.readouterr().out) == SAID


def test_check_is_strict_when_asked(published, path, capsys):
    """With --strict a warning is a problem, for a pipeline."""
    flag("check", "--strict", published, code=1)
    path.write_text("true")
    flag("check", "--strict", path)


def test_check_tells_every_problem(path, capsys):
    """A bad document is exit code 1, and each problem a line of stdout."""
    path.write_text('{"schema": 1, "enabled": "yes", "untill": 3}')
    flag("check", path, code=1)
    assert capsys.readouterr().out == (
        'problem: enabled: "yes" is refused; write true or false, without quotes\n'
        "problem: until: it is missing; write seconds since 1970, such as 1795000000,\n"
        "  which `date -d '30 min' +%s` prints\n"
        "problem: untill: there is no such field; it is called until\n"
    )


def test_check_of_no_file(tmp_path, capsys):
    """A file that cannot be read is exit code 2."""
    flag("check", tmp_path / "none.json", code=2)
    flag("check", tmp_path, code=2)
    none, directory = capsys.readouterr().err.splitlines()
    assert none.endswith("none.json': No such file or directory")
    assert directory.endswith("Is a directory")


def piped(*argv, stdin, **environment):
    command = [sys.executable, "-m", "tracedclient", "flag", *argv]
    environment = {**os.environ, **environment}
    return subprocess.run(
        command, input=stdin, capture_output=True, check=False, timeout=30, env=environment
    )


def test_check_reads_a_pipe():
    """Standard input is checked when no file is given, and when it is a dash."""
    for argv in ((), ("-",)):
        done = piped("check", *argv, stdin=b"true")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith(b"on for 30 min")
    assert piped("check", stdin=b"").returncode == 1


def test_a_pipe_from_on_to_check():
    """What `on` prints, `check` finds good."""
    made = piped("on", "--host", "b.internal", stdin=b"")
    assert piped("check", "--strict", stdin=made.stdout).returncode == 0


def test_ascii_where_that_is_all():
    """A stream that can show ASCII only gets nothing else, and nothing is raised."""
    body = json.dumps({**DOCUMENT, "reason": "größer"}, ensure_ascii=False).encode()
    done = piped("check", stdin=body, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert rb"because of" in done.stdout
    assert rb"gr\xf6\xdfer" in done.stdout


@given(st.binary() | st.text().map(str.encode))
def test_check_takes_any_bytes(tmp_path_factory, body):
    """No content of a file makes `check` raise: its exit code is 0 or 1."""
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(body)
    assert main(["flag", "check", str(path)]) in {0, 1}


def test_a_document_cannot_steer_the_terminal(path, capsys):
    """Escape sequences, line ends and reversed text in a document are shown, and not obeyed."""
    path.write_text(json.dumps({**DOCUMENT, "reason": "\x1b[2J\nok\u202e", "updated_by": "\x9b"}))
    flag("check", path)
    out = capsys.readouterr().out
    assert r"\x1b[2J\nok\u202e" in out
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)


# --- show -----------------------------------------------------------------------------------------


def test_show_a_file(published, capsys):
    """What is in the file, in words, below its name."""
    flag("show", "--file", published)
    out = without_days(capsys.readouterr().out)
    assert out.startswith("file:")
    assert out.endswith(SAID)


def test_show_nothing(tmp_path, capsys):
    """No document is off, which is an answer."""
    flag("show", "--file", tmp_path / "none.json")
    assert capsys.readouterr().out.endswith("off: there is no document\n")


def test_show_what_is_no_document(path, capsys):
    """A document that no process takes is exit code 1, and its problems are told."""
    path.write_text("<html>")
    flag("show", "--file", path, code=1)
    assert "problem: it is a page" in capsys.readouterr().out


def test_colours(published, capsys):
    """Colours come with --color always, and never on their own into a pipe."""
    flag("show", "--file", published, "--color", "always")
    assert "\x1b[1;32mon until" in capsys.readouterr().out
    flag("show", "--file", published)
    assert "\x1b" not in capsys.readouterr().out


def test_the_actions_are_named(capsys):
    """`tracedclient flag --help` lists them, and `tracedclient --help` the command."""
    for argv, names in (
        (["flag", "--help"], {"on", "off", "show", "check"}),
        (["--help"], {"flag"}),
    ):
        with pytest.raises(SystemExit) as end:
            main(argv)
        assert end.value.code == 0
        assert names <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize("action", ["on", "off", "show", "check"])
def test_every_argument_is_documented(action, capsys):
    """Each option of each action is in docs/flag.md, and so is each variable that is read."""
    with pytest.raises(SystemExit):
        main(["flag", action, "--help"])
    options = set(re.findall(r"--[a-z][a-z-]*", capsys.readouterr().out)) - {"--help"}

    page = (Path(__file__).parents[2] / "docs" / "flag.md").read_text()
    assert options - set(re.findall(r"--[a-z][a-z-]*", page)) == set()
    variables = (APOLLO_TOKEN, APOLLO_ACCESS_KEY, ETCD_PASSWORD, AUTHORIZATION)
    assert all(f"`{name}`" in page for name in variables)
