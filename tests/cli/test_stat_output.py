"""What ``tracedclient stat`` shows of one request and of several, and its exit codes."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import servers

from tracedclient.cli import main
from tracedclient.trace.schema import from_json

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "stat.md"


def out_of(capsys, *argv, code=0):
    assert main(["stat", *argv]) == code
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("shown", "has_bars", "has_box"),
    [("both", True, True), ("waterfall", True, False), ("box", False, True)],
)
def test_the_format_is_the_users(shown, has_bars, has_box, echo_server, capsys):
    """Bars, boxes, or both; the numbers are in the box or among the facts, and not in both."""
    out = out_of(capsys, "--format", shown, echo_server.url)
    assert ("  c connect  s send" in out) == has_bars
    assert ("starttransfer" in out) == has_box
    assert bool(re.search(r"\bsend [\d.]+ m?s \(", out)) == (not has_box)


def test_a_line_is_at_most_80_columns(echo_server, capsys):
    """Where there is no terminal, everything fits 80 columns, the answer's head included."""
    out = out_of(capsys, "-L", f"{echo_server.url}/redirect?to=/set-cookie%3Fa={'b' * 200}")
    assert max(map(len, out.splitlines())) <= 80


def test_colour_can_be_asked_for(echo_server, capsys):
    """--color always colours even what is not written to a terminal."""
    assert "\x1b[" in out_of(capsys, "--color", "always", echo_server.url)


def test_a_cookie_is_not_shown(echo_server, capsys):
    """Output is pasted into tickets: a cookie's name is shown, and not what it is worth."""
    out = out_of(capsys, f"{echo_server.url}/set-cookie?sid=secret&b=hidden")
    assert "Set-Cookie: sid=REDACTED" in out
    assert "Set-Cookie: b=REDACTED" in out
    assert "secret" not in out
    assert "hidden" not in out


def test_partial_timings_of_a_failure(resolver, capsys):
    """httpstat shows nothing when it fails: here what came before the failure is timed."""
    resolver["shut.test"] = ["127.0.0.1"]
    out = out_of(capsys, f"http://shut.test:{servers.refused_port()}/", code=1)
    assert out.startswith("CONNECT ERROR")
    assert "namelookup" in out
    assert " ms │" in out
    assert "starttransfer" not in out


def test_json_of_a_failure_has_the_points_that_were_reached(resolver, capsys):
    """curl's 0 for what was not reached is not there at all."""
    resolver["shut.test"] = ["127.0.0.1"]
    out = out_of(capsys, "--json", f"http://shut.test:{servers.refused_port()}/", code=1)
    assert set(json.loads(out)["timings_ms"]) == {"namelookup", "total"}


@pytest.mark.parametrize("kind", ["short", "long"])
def test_every_flag_is_documented(kind, capsys):
    """docs/stat.md has each flag that --help has."""
    with pytest.raises(SystemExit):
        main(["stat", "--help"])
    pattern = {"short": r"(?<![\w-])-[\w]\b", "long": r"--[a-z][a-z-]+"}[kind]
    flags = set(re.findall(pattern, capsys.readouterr().out))
    assert len(flags) > 10
    assert flags - set(re.findall(pattern, DOCUMENTATION.read_text())) == set()


# --- several --------------------------------------------------------------------------------------


def test_several_requests_on_one_connection(echo_server, capsys):
    """-n: the first request pays for the connection, the rest go over it."""
    out = out_of(capsys, "-n", "6", f"{echo_server.url}/x")
    lines = out.splitlines()
    assert lines[:2] == [
        f"6 requests: GET {echo_server.url}/x",
        "1 cold (new connection), 5 warm (kept alive)",
    ]
    assert lines[3].split() == ["ms", "cold", "warm", "p50", "p95", "max"]
    connect = next(line for line in lines if line.startswith("  connect")).split()
    assert connect[2:] == ["-", "-", "-"]
    assert f"connect {echo_server.host_port} ok after" in out
    assert [number for number, _ in echo_server.journal] == [1] * 6


def test_several_requests_as_json(echo_server, capsys):
    """One line for each request, each a trace."""
    lines = out_of(capsys, "-n", "3", "--json", echo_server.url).splitlines()
    assert [from_json(line).conn_reused for line in lines] == [False, True, True]


def test_several_requests_of_which_some_fail(start, capsys):
    """A failure in between stops nothing; it is counted, and the exit code is 1."""

    def app(request):
        last = len(server.requests) % 2 == 0
        return servers.Answer(200, b"x", {"Content-Length": "9"} if last else {}, close=last)

    server = servers.serve(app)
    start(server)
    out = out_of(capsys, "-n", "4", server.url, code=1)
    assert "2 FAILED" in out
    assert "failed 2x: read error. the answer broke off" in out
    assert len(server.requests) == 4


def test_ctrl_c_shows_the_requests_that_ended():
    """Interrupted in the third of many: the table of two, and exit code 130."""
    reached = []

    def app(request):
        if len(server.requests) == 3:
            reached.append(process.send_signal(signal.SIGINT))
            return servers.Answer(200, delay=5.0)
        return servers.Answer(200)

    server = servers.serve(app)
    with server:
        command = [sys.executable, "-m", "tracedclient", "stat", "-n", "9", server.url]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            out, err = process.communicate(timeout=20)
    assert (process.returncode, err, reached) == (130, "", [None])
    assert out.startswith("2 requests: GET")


# --- SLO ------------------------------------------------------------------------------------------


def test_an_slo_that_is_kept(echo_server, capsys):
    """Exit code 0, and a line that says so."""
    out = out_of(capsys, "--slo", "total=9000,dns=50", echo_server.url)
    assert out.splitlines()[-2:] == ["SLO total <= 9000 ms  ok", "SLO dns <= 50 ms  ok"]


def test_an_slo_that_is_violated(echo_server, capsys):
    """Exit code 4, and by how much."""
    out = out_of(capsys, "--slo", "wait=10", f"{echo_server.url}/slow?ms=300", code=4)
    assert out.splitlines()[-1].startswith("SLO wait <= 10 ms  VIOLATED: 3")


def test_an_slo_that_one_of_several_violates(start, capsys):
    """Any request counts."""
    server = servers.serve(
        lambda request: servers.Answer(200, delay=0.3 if len(server.requests) == 2 else 0.0)
    )
    start(server)
    out = out_of(capsys, "-n", "3", "--slo", "wait=250", server.url, code=4)
    assert "SLO wait <= 250 ms  VIOLATED: 1 of 3 requests, up to 3" in out


def test_an_slo_in_json(echo_server, capsys):
    """The JSON says which limit was exceeded, and by what."""
    line = out_of(capsys, "--json", "--slo", "wait=10", f"{echo_server.url}/slow?ms=30", code=4)
    slo = json.loads(line)["slo"]
    assert (slo["pass"], slo["violations"][0]["key"]) == (False, "wait")
    assert slo["violations"][0]["actual_ms"] > slo["violations"][0]["threshold_ms"] == 10


def test_a_failure_goes_before_an_slo(capsys):
    """A request that failed is exit code 1, however long it took."""
    url = f"http://127.0.0.1:{servers.refused_port()}/"
    out_of(capsys, "--slo", "total=0.000001", url, code=1)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--slo", "ttfb=1"], "argument --slo: an SLO names blocked, dns"),
        (["--slo", "dns=fast"], "argument --slo: the limit of dns must be milliseconds above 0"),
        (["-n", "0"], "argument -n/--number: '0' is not a number of requests of 1 or more"),
        (["-n", "x"], "argument -n/--number: 'x' is not a number"),
        (["--format", "xml"], "argument --format: invalid choice: 'xml'"),
    ],
)
def test_wrong_arguments_are_named(argv, message, capsys):
    """Exit code 2, and a message that says which argument is wrong and why."""
    with pytest.raises(SystemExit) as end:
        main(["stat", *argv, "http://127.0.0.1:1/"])
    assert end.value.code == 2
    assert message in capsys.readouterr().err
