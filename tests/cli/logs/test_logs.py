"""The command as it is run: real files, pipes and processes."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys

import pytest
from drawing import at
from logged import ID, OTHER, app_line, cri, docker, trace_line

from tracedclient.cli import main
from tracedclient.testing import make_trace_result

UUID = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"


@pytest.fixture
def log(tmp_path):
    """A log of two traces, and a line of the application for one of them."""
    path = tmp_path / "app.log"
    other = trace_line(make_trace_result(trace_id=OTHER))
    path.write_bytes(app_line(order_id=841) + other + trace_line())
    return path


@pytest.fixture
def run(capsys):
    """Runs the command, and returns its exit code, stdout and stderr."""

    def run(*argv):
        try:
            code = main(["logs", *map(str, argv)])
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def process(*argv, **options):
    command = [sys.executable, "-m", "tracedclient", "logs", *map(str, argv)]
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run(
        command, check=False, capture_output=True, timeout=30, env=environment, **options
    )


@pytest.mark.parametrize(
    "asked", [ID, ID[:8], UUID, UUID[:13], f"00-{ID}-00f067aa0ba902b7-01", ID.upper()]
)
def test_an_id_is_found_however_it_is_given(run, log, asked):
    """Whole, by its beginning, as UUID or traceparent: the page about the trace, exit code 0."""
    code, out, err = run(asked, log)
    assert code == 0
    assert out.startswith("OK after 1 retry  GET https://api.example.org/")
    assert out.splitlines()[1].startswith("no fault found: went well on attempt 2")
    assert "order.created  order_id=841" in out
    assert OTHER not in out
    assert err.startswith("1 trace and 1 other line in 1 of 1 file")


@pytest.mark.parametrize(
    "arrange",
    [
        lambda a, b: ["--raw", ID, a, b],
        lambda a, b: [ID, "--raw", a, b],
        lambda a, b: [ID, a, "--raw", b],
        lambda a, b: [ID, a, "--since", "2026-01-01", b, "--raw"],
    ],
)
def test_options_may_stand_anywhere(run, log, tmp_path, arrange):
    """Options before, between and behind the files: all of them are searched."""
    (tmp_path / "b").write_bytes(app_line("second"))
    code, out, _ = run(*arrange(log, tmp_path / "b"))
    assert code == 0
    assert out.encode() == app_line(order_id=841) + trace_line() + app_line("second")


def test_an_unknown_option_among_the_files_is_refused(run, log):
    """What begins with a dash and is no option is no file either."""
    assert run(ID, log, "--no-such-option")[0] == 2


def test_a_log_that_spells_it_otherwise_is_searched_again(run, tmp_path):
    """An id without dashes finds the log that has it with dashes."""
    path = tmp_path / "app.log"
    path.write_bytes(trace_line(make_trace_result(trace_id=UUID)))
    code, out, _ = run(ID, path)
    assert code == 0
    assert UUID in out


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("wrap", [lambda line: line, docker, cri, b"[pod/a/app] ".__add__])
def test_a_trace_is_found_in_every_wrapping(run, tmp_path, compress, wrap):
    """Compressed files by their content, and what Docker, CRI and kubectl write."""
    path = tmp_path / "rotated.1"
    path.write_bytes(compress(wrap(app_line()) + wrap(trace_line())))
    code, out, _ = run(ID, tmp_path)
    assert code == 0
    assert out.startswith("OK after 1 retry")
    assert "order.created" in out


def test_several_ids_with_one_beginning_are_listed(run, tmp_path):
    """When several ids begin so, nothing is guessed: they are listed, and the exit code is 2."""
    ids = [f"4bf92f35{number:024x}" for number in (1, 2, 3)]
    path = tmp_path / "app.log"
    path.write_bytes(b"".join(trace_line(make_trace_result(trace_id=one)) for one in ids))
    code, out, err = run("4bf92f35", path)
    assert (code, out) == (2, "")
    assert "3 ids begin with 4bf92f35; give more of one:" in err
    assert all(f"  {one}\n" in err for one in ids)


def test_an_id_that_others_begin_with_is_found(run, tmp_path):
    """An id that is exactly what was asked for is not drowned by longer ones, nor counted with them."""
    path, other = tmp_path / "app.log", tmp_path / "other.log"
    made = [trace_line(make_trace_result(trace_id=one)) for one in ("order-841", "order-8412")]
    path.write_bytes(b"".join(made))
    # As if it were the trace of that id, and half of it.
    other.write_bytes(made[1][: len(made[1]) // 2] + b"\n")
    code, out, err = run("order-841", path, other, "--strict")
    assert code == 0
    assert "order-8412" not in out
    assert "1 trace and 0 other lines in 1 of 2 files" in err
    assert "half a record" not in err
    assert "1 other id begins with it" in err


def test_not_found_is_explained(run, tmp_path):
    """What was searched, which time it spans, whether debug was on, ids that are near: exit code 1."""
    path = tmp_path / "app.log"
    only = make_trace_result(trace_id=f"{ID[:-1]}7", emit_reason="slow")
    path.write_bytes(app_line(trace_id=OTHER) + trace_line(only, stamp=at(60_000)))
    code, out, err = run(ID, path, tmp_path / "app.log")
    assert (code, out) == (1, "")
    assert f"no line with trace id {ID} in 1 file" in err
    assert "searched: 2 lines, 2026-11-20T22:27:57Z to 2026-11-20T22:28:58Z" in err
    assert "1 line is a trace, 1 of them written only because the call failed or was slow" in err
    assert f"ids that are near: {ID[:-1]}7" in err
    assert "check: the rules of the debug flag" in err


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        (f"{ID[:-1]}0", True),
        (f"00{ID[2:]}", True),
        (f"0{ID[1:-1]}0", True),
        (f"0{ID[1:12]}0{ID[13:-1]}0", False),
        (f"{ID[:-12]}000000000000", True),
        (OTHER, False),
    ],
)
def test_ids_that_are_near_are_named(run, log, asked, near):
    """An id of which a character or two were mistyped, or an end is missing, is named."""
    log.write_bytes(trace_line())
    assert (f"ids that are near: {ID}" in run(asked, log)[2]) is near


@pytest.mark.parametrize("wrap", [lambda line: line, docker, cri])
def test_the_census_sees_through_wrappings(run, tmp_path, wrap):
    """Traces are counted in what runtimes write, too."""
    path = tmp_path / "app.log"
    path.write_bytes(wrap(trace_line()))
    assert "1 line is a trace" in run(OTHER, path)[2]


def test_debug_that_was_off_is_told(run, tmp_path):
    """Without any trace in the log, the flag and the logger are what to check."""
    path = tmp_path / "app.log"
    path.write_bytes(app_line(trace_id=OTHER))
    code, _, err = run(ID, path)
    assert code == 1
    assert "debug seems to have been off: none of these lines is a trace" in err
    assert "check: the debug flag; that the logger tracedclient.trace lets INFO through" in err


def test_an_empty_file_is_told(run, tmp_path):
    """A file without lines is no reason to look for the flag."""
    (tmp_path / "app.log").write_bytes(b"")
    assert "there is no line in them" in run(ID, tmp_path / "app.log")[2]


def test_what_cannot_be_read_does_not_hide_the_rest(run, tmp_path, log):
    """Missing files, directories that are files and broken compression: the rest is shown, what is
    not read is told, and the exit code is 2."""
    data = gzip.compress(trace_line(make_trace_result(service_name="cut")) + b"x" * 9)
    (tmp_path / "cut.gz").write_bytes(data[:-9])
    code, out, err = run(ID, log, tmp_path / "none", tmp_path / "*.zst", tmp_path / "cut.gz")
    assert code == 2
    assert "[1] orders" in out
    assert "[2] cut" in out
    assert f"cannot read {tmp_path}/none: No such file or directory" in err
    assert f"cannot read {tmp_path}/*.zst: no file matches" in err
    assert f"cannot read {tmp_path}/cut.gz: the compressed data ends before" in err


def test_a_file_that_fails_while_it_is_read_is_told(run, log):
    """A file that opens and cannot be read is told, and the others are shown."""
    # Address 0 of a process's memory: a regular file to stat, and an I/O error to read.
    code, out, err = run(ID, "/proc/self/mem", log)
    assert code == 2
    assert out.startswith("OK after 1 retry")
    assert "cannot read /proc/self/mem: Input/output error" in err


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (trace_line()[:700] + b"\n", "half a record"),
        (trace_line().replace(b"trace/1", b"trace/2"), "of a schema that this version cannot read"),
        (trace_line().replace(b'"outcome":"ok"', b'"outcome":"ok","outcome":"ok"'), "a key twice"),
        (trace_line().replace(b'"wait_ms":40.3', b'"wait_ms":NaN'), "NaN or infinity"),
        (f"caf\xe9 {ID}\n".encode("latin-1"), "not UTF-8"),
        (b"a\0 " + ID.encode() + b"\n", "binary"),
        (ID.encode() + b" " * 3_000_000 + b"\n", "too long"),
    ],
)
def test_damaged_lines_do_not_hide_the_rest(run, log, damage, said):
    """Whatever is wrong with a line, the others are shown, and it is counted and said; with
    --strict the exit code tells too, where something is lost."""
    log.write_bytes(damage + log.read_bytes())
    code, out, err = run(ID, log)
    assert code == 0
    assert "OK after 1 retry" in out or out.startswith("OK")
    assert f"1 line {said}" in err or f"1 line with {said}" in err
    lost = said not in ("not UTF-8", "a key twice")
    assert run("--strict", ID, log)[0] == (3 if lost else 0)


def test_a_span_of_time_is_read_alone(run, tmp_path):
    """Of a file in order of time, only the part around a span is read, and that is said."""
    path = tmp_path / "app.log"
    other = app_line(trace_id=OTHER, stamp="{stamp}")
    with path.open("wb") as file:
        for second in range(20_000):
            file.write(other.replace(b"{stamp}", at(second * 1000).encode()))
            if second in (100, 10_000):
                file.write(app_line(f"at {second}", stamp=at(second * 1000)))
    code, out, err = run(ID, path, "--around", f"{at(10_000_000)}±10s")
    assert code == 0
    assert "at 10000" in out
    assert "at 100\n" not in out
    assert "60 s around it; 2." in err
    assert run(ID, path, "--since", at(11_000_000))[0] == 1
    assert "the span of time" in run(ID, path, "--since", at(11_000_000))[2]
    assert run(ID, path, "--until", at(20_000))[0] == 1


def test_a_file_out_of_order_is_read_whole(run, tmp_path):
    """Where the times are not in order all is read, what lies outside is left out, and it is said."""
    path = tmp_path / "app.log"
    lines = [app_line(trace_id=OTHER, stamp=at(second * 1000)) for second in range(3000)]
    found = app_line("in time", stamp=at(2_900_000))
    path.write_bytes(b"".join([*lines[1500:], found, *lines[:1500], app_line("early")]))
    code, out, err = run(ID, path, "--since", at(2_890_000), "--until", at(2_950_000))
    assert code == 0
    assert "in time" in out
    assert "early" not in out
    assert f"{path} is not in order of time: all of it was read" in err


@pytest.mark.parametrize(
    "argv",
    [
        ["not an id", "x"],
        [ID, "x", "--since", "yesterday"],
        [ID, "x", "--around", "now", "--since", "now"],
        [ID, "x", "--since", "now", "--until", "-1h"],
        [ID, "-", "--follow"],
        [ID, "x", "--json", "--raw"],
        [ID, "x", "--har", "y", "--follow"],
    ],
)
def test_wrong_usage_is_exit_code_2(argv, run):
    """Arguments that make no sense: the usage on stderr, exit code 2."""
    code, out, err = run(*argv)
    assert (code, out) == (2, "")
    assert err.startswith("usage: tracedclient logs")


def test_nothing_to_search_is_wrong_usage(terminal_stdin):
    """Without a file, without a default and without a pipe, nobody is made to type a log."""
    command = [sys.executable, "-m", "tracedclient", "logs", ID]
    done = subprocess.run(
        command, check=False, capture_output=True, timeout=30, stdin=terminal_stdin
    )
    assert done.returncode == 2
    assert b"no FILE is given, TRACEDCLIENT_LOGS is not set" in done.stderr


@pytest.fixture
def terminal_stdin():
    """A terminal that nobody types at."""
    master, slave = os.openpty()
    yield slave
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("argv", [[], ["-"]])
def test_a_pipe_is_read(argv, log):
    """Without files, and for a dash, the standard input is searched; compressed or not."""
    for data in (log.read_bytes(), gzip.compress(log.read_bytes())):
        done = process(ID, *argv, input=data)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(b"OK after 1 retry")


def test_a_pipe_is_explained_too(log):
    """What came through a pipe cannot be read twice; it is explained all the same."""
    done = process(f"{ID[:-1]}0", input=log.read_bytes())
    assert done.returncode == 1
    assert b"searched: 3 lines" in done.stderr
    assert f"ids that are near: {ID}".encode() in done.stderr


def test_the_files_may_be_named_once_for_all(run, log, monkeypatch):
    """TRACEDCLIENT_LOGS names the files that are meant when none is given."""
    monkeypatch.setenv("TRACEDCLIENT_LOGS", f"{log.parent}/*.log{os.pathsep}{log}")
    assert run(ID)[1].startswith("OK after 1 retry")


def test_json_is_one_object_per_line(run, log):
    """--json gives every line that was found, in its place, and at the end what was read."""
    _, out, _ = run(ID, log, "--json")
    found = [json.loads(line) for line in out.splitlines()]
    assert {one["schema"] for one in found} == {"tracedclient.logs/1"}
    assert [one["kind"] for one in found] == ["line", "trace", "end"]
    assert found[0]["record"]["event"] == "order.created"
    assert found[1]["record"]["trace_id"] == ID
    assert log.read_bytes()[found[1]["offset"] :].startswith(b'{"timestamp"')
    assert (found[2]["files"], found[2]["lines"], found[2]["traces"]) == (1, 2, 1)


def test_raw_gives_the_lines_as_they_were_written(run, log, tmp_path):
    """--raw gives what grep would, without what a runtime put around it."""
    expected = app_line(order_id=841) + trace_line()
    assert run(ID, log, "--raw")[1].encode() == expected
    (tmp_path / "docker.log").write_bytes(docker(app_line(order_id=841)) + docker(trace_line()))
    assert run(ID[:9], tmp_path / "docker.log", "--raw")[1].encode() == expected


def test_markdown_is_for_a_ticket(run, log):
    """--md is the page in a block, without colour."""
    _, out, _ = run(ID, log, "--md", "--color", "always")
    assert out.startswith(f"**Trace `{ID}`**\n\n```text\nOK after 1 retry")
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("form", "sign"),
    [
        ("har", '"log"'),
        ("otlp-json", '"resourceSpans"'),
        ("zipkin", '"localEndpoint"'),
        ("chrome", '"traceEvents"'),
    ],
)
def test_other_tools_get_the_traces(run, log, tmp_path, form, sign):
    """Each of these options writes the traces to a file, or to stdout for a dash."""
    code, out, _ = run(ID, log, f"--{form}", tmp_path / "out")
    assert (code, out) == (0, "")
    written = (tmp_path / "out").read_text()
    assert json.loads(written)
    assert sign in written
    assert ID in written
    done = process(ID, log, f"--{form}", "-")
    assert done.stdout == (tmp_path / "out").read_bytes()


def test_an_export_that_cannot_be_written_is_told(run, log, tmp_path):
    """A target that is not there, or that is the log itself, is told: exit code 2."""
    code, _, err = run(ID, log, "--har", tmp_path / "none" / "out")
    assert code == 2
    assert f"cannot write {tmp_path}/none/out: No such file" in err
    before = log.read_bytes()
    code, _, err = run(ID, log, "--har", log)
    assert code == 2
    assert "would take the place of a log" in err
    assert log.read_bytes() == before


def test_only_lines_are_nothing_to_export(run, tmp_path):
    """Without a trace there is nothing to write, and the target stays away."""
    (tmp_path / "app.log").write_bytes(app_line())
    assert run(ID, tmp_path / "app.log", "--har", tmp_path / "out")[0] == 1
    assert not (tmp_path / "out").exists()


def test_only_traces_and_first(run, log, tmp_path):
    """--only-traces leaves the application's lines out, --first stops at the first trace."""
    assert "lines with this id" not in run(ID, log, "--only-traces")[1]
    (tmp_path / "more.log").write_bytes(trace_line(make_trace_result(service_name="late")))
    assert "late" in run(ID, tmp_path)[1]
    assert "late" not in run(ID, tmp_path, "--first")[1]


def test_follow_ends_with_the_first_trace(run, log, tmp_path, monkeypatch):
    """--follow --first prints up to the first trace, in every form, and ends well."""
    (tmp_path / "empty.log").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(ID, "*.log", "--follow", "--first")
    assert code == 0
    assert out.startswith("22:27:57.998  app.log: info  order.created")
    assert "OK after 1 retry" in out
    assert run(ID, log, "--follow", "--first", "--raw")[1].encode() == (
        app_line(order_id=841) + trace_line()
    )
    assert run(ID, log, "--follow", "--first", "--only-traces")[1].startswith("\nOK after")
    code, _, err = run(ID, tmp_path / "*.gz", "--follow")
    assert code == 2
    assert "no file matches" in err


def test_lines_without_a_time_stay_in_their_place(run, tmp_path, monkeypatch):
    """A line that tells no time is shown behind the line it was found after."""
    path = tmp_path / "app.log"
    late = app_line("late", stamp="2026-11-20T23:00:00.000000Z")
    path.write_bytes(
        late + f"  caused by {ID}\n".encode() + app_line("early") + b"a\0 " + ID.encode()
    )
    monkeypatch.chdir(tmp_path)
    lines = run(ID, "app.log")[1].splitlines()[-4:]
    assert [line[:14].strip() for line in lines] == ["22:27:57.998", "", "23:00:00.000", ""]
    assert lines[1].strip().startswith("binary data at byte ")
    assert lines[1].endswith(" of app.log")
    assert lines[3].endswith(f"caused by {ID}")


def test_more_lines_than_can_be_held_are_counted(run, tmp_path):
    """Of very many lines the first are held, and the others are counted."""
    (tmp_path / "app.log").write_bytes(f"{ID}\n".encode() * 10_050)
    _, out, err = run(ID, tmp_path / "app.log")
    assert "9000 lines more" in out
    assert "50 more lines were found and not shown; --raw has all" in err
    (tmp_path / "app.log").write_bytes((ID.encode() + b" " * 900_000 + b"\n") * 40)
    assert "23 more lines were found and not shown" in run(ID, tmp_path / "app.log")[2]


def test_it_starts_without_requests(log):
    """To search, neither requests nor structlog is imported, and msgspec only when it is found."""
    code = (
        "import sys\nfrom tracedclient.cli import main\n"
        f"main(['logs', {ID!r}, {str(log)!r}, '--no-pager'])\n"
        "print([n for n in ('requests', 'urllib3', 'structlog', 'logging') if n in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    missing = code.replace(ID, OTHER.replace("0", "1")).replace("'requests'", "'msgspec'")
    done = subprocess.run(
        [sys.executable, "-c", missing], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
