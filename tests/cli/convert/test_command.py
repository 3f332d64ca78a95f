"""``tracedclient convert`` as it is typed."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys

import pytest
from logs_of_traces import KINDS, RETRIED, line, own_line

from tracedclient.cli import main
from tracedclient.cli.convert.formats import FORMATS, converter, is_text


@pytest.fixture
def log(tmp_path):
    """A log with traces of every kind, lines of the application's, and what is neither."""
    path = tmp_path / "app.log"
    lines = [line(RETRIED), own_line(), "Traceback (most recent call last):"]
    path.write_text("\n".join([*lines, *map(line, KINDS.values())]) + "\n")
    return path


def convert(*argv):
    return main(["convert", *map(str, argv)])


def test_a_log_becomes_a_file(log, tmp_path):
    """The traces of a log are in the file that is named; nothing else is said."""
    assert convert(log, "--to", "har", "-o", tmp_path / "app.har") == 0
    pages = json.loads((tmp_path / "app.har").read_text())["log"]["pages"]
    assert [page["_traceId"] for page in pages] == [
        RETRIED.trace_id,
        *(trace.trace_id for trace in KINDS.values()),
    ]


def test_without_a_file_it_goes_to_stdout(log, capsysbinary):
    """The standard output gets the bytes, and nothing but them."""
    assert convert(log, "--to", "otlp-json") == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 1 + len(KINDS)


def test_stdin_is_read(log):
    """In a pipe, as the search of another tool's output, it reads what comes."""
    command = [sys.executable, "-m", "tracedclient", "convert", "--to", "chrome"]
    done = subprocess.run(
        command, input=log.read_bytes(), capture_output=True, timeout=30, check=True
    )
    assert json.loads(done.stdout)["traceEvents"]


def test_what_a_runtime_put_before_the_object_is_passed_over(tmp_path):
    """CRI's words before a line do not hide the trace in it."""
    path = tmp_path / "0.log"
    path.write_text(f"2026-11-20T22:27:58.1Z stdout F {line(RETRIED)}\n")
    assert convert(path, "--to", "har", "-o", tmp_path / "app.har") == 0


def test_no_trace_is_exit_code_1_and_no_file(tmp_path, capsys):
    """A log without a trace makes no file, and says so."""
    path = tmp_path / "app.log"
    path.write_text(own_line() + "\n")
    assert convert(path, "--to", "har", "-o", tmp_path / "app.har") == 1
    assert not (tmp_path / "app.har").exists()
    assert "no trace" in capsys.readouterr().err


def test_damage_is_counted(log, tmp_path, capsys):
    """Half a record, one of the future and one with a wrong time are left out, counted, and told."""
    with log.open("a") as file:
        file.write(line(RETRIED)[:400] + "\n")
        file.write(line(RETRIED).replace("tracedclient.trace/1", "tracedclient.trace/9") + "\n")
        file.write(line(RETRIED).replace(RETRIED.started_at, "yesterday") + "\n")
    assert convert(log, "--to", "har", "-o", tmp_path / "a.har") == 0
    said = capsys.readouterr().err
    assert all(words in said for words in ("half a record", "cannot read", "no trace, though"))
    assert convert(log, "--strict", "--to", "har", "-o", tmp_path / "a.har") == 3


def test_compressed_files_globs_and_wrapped_lines(tmp_path):
    """What `logs` reads, convert reads: a rotated .gz, found by a glob, written by Docker."""
    wrapped = json.dumps(
        {"log": line(RETRIED) + "\n", "stream": "stdout", "time": RETRIED.started_at},
        separators=(",", ":"),
    )
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(wrapped.encode() + b"\n"))
    assert convert(tmp_path / "app.log*", "--to", "har", "-o", tmp_path / "a.har") == 0
    assert len(json.loads((tmp_path / "a.har").read_text())["log"]["pages"]) == 1


def test_a_span_of_time(log, tmp_path):
    """With --since and --until only the traces of that time are converted, give or take a minute."""
    day = ("--since", "2026-11-20T22:00Z", "--until", "2026-11-20T23:00Z")
    assert convert(log, *day, "--to", "har", "-o", tmp_path / "a.har") == 0
    assert (
        convert(log, "--until", "2026-11-20T22:00Z", "--to", "har", "-o", tmp_path / "b.har") == 1
    )


@pytest.mark.parametrize(
    "wrong", [["--since", "soon"], ["--since", "2026-11-20T22:00Z", "--until", "2026-11-20T21:00Z"]]
)
def test_a_wrong_span(log, wrong):
    """A time that is none, and an end before its beginning, are wrong usage."""
    with pytest.raises(SystemExit) as end:
        convert(log, *wrong, "--to", "har")
    assert end.value.code == 2


def test_an_unreadable_file_among_readable_ones(log, tmp_path, capsys):
    """What can be read is converted, what cannot is named, and the exit code is 2."""
    assert convert(tmp_path / "nowhere", log, "--to", "har", "-o", tmp_path / "a.har") == 2
    assert (tmp_path / "a.har").exists()
    assert "nowhere: No such file" in capsys.readouterr().err


def test_a_file_cannot_become_itself(log, capsys):
    """The log that is read is not overwritten by what it becomes."""
    before = log.read_bytes()
    with pytest.raises(SystemExit) as end:
        convert(log, "--to", "har", "-o", log)
    assert end.value.code == 2
    assert log.read_bytes() == before


def test_a_file_is_replaced_as_a_whole(log, tmp_path):
    """What was there keeps its mode and is complete at any time; nothing lies beside it later."""
    target = tmp_path / "app.har"
    target.write_text("old")
    target.chmod(0o640)
    assert convert(log, "--to", "har", "-o", target) == 0
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app.har", "app.log"]


def test_a_new_file_has_the_usual_mode(log, tmp_path):
    """A new file can be read by whom the umask lets."""
    before = os.umask(0o027)
    try:
        convert(log, "--to", "har", "-o", tmp_path / "app.har")
    finally:
        os.umask(before)
    assert (tmp_path / "app.har").stat().st_mode & 0o777 == 0o640


def test_a_target_that_cannot_be_written(log, tmp_path, capsys):
    """A directory that is not there is named, with exit code 2."""
    assert convert(log, "--to", "har", "-o", tmp_path / "no" / "app.har") == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_a_pipe_can_be_written_to(log, tmp_path):
    """What is no regular file is written to, and not replaced."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "tracedclient", "convert", log, "--to", "har", "-o", fifo]
    with subprocess.Popen(command) as process:
        assert json.loads(fifo.read_bytes())["log"]["pages"]
    assert process.returncode == 0


def test_names_are_escaped(capsys):
    """A file's name cannot steer the terminal through an error message."""
    assert convert("\x1b[31m", "--to", "har") == 2
    assert "\x1b" not in capsys.readouterr().err


def test_an_endless_line_is_not_held(tmp_path):
    """A line of many megabytes without an end is passed over in pieces; the trace after it is found."""
    path = tmp_path / "app.log"
    path.write_text("x" * 5_000_000 + "\n" + line(RETRIED) + "\n")
    assert convert(path, "--to", "har", "-o", tmp_path / "a.har") == 0


def test_parquet_is_not_for_a_terminal(log, capsys):
    """Bytes that are no text are not written to a terminal."""
    leader, follower = os.openpty()
    before = sys.stdout
    try:
        with os.fdopen(follower, "w") as sys.stdout, pytest.raises(SystemExit) as end:
            convert(log, "--to", "parquet")
    finally:
        sys.stdout = before
        os.close(leader)
    assert end.value.code == 2
    assert "use -o FILE" in capsys.readouterr().err


def test_each_format_has_its_converter():
    """Every format can be asked for by its name, and all but Parquet are text."""
    assert all(callable(converter(name)) for name in FORMATS)
    assert [name for name in FORMATS if not is_text(name)] == ["parquet"]


def test_without_duckdb_the_extra_is_named():
    """Where DuckDB is not installed, the message says which extra brings it."""
    code = (
        "import sys; sys.modules['duckdb'] = None\n"
        "from tracedclient.cli import main\n"
        "sys.exit(main(['convert', '--to', 'parquet']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=line(RETRIED),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'tracedclient[report]'" in done.stderr


def test_the_readers_of_a_pipe_may_go(log):
    """`tracedclient convert … | head` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "tracedclient", "convert", log, "--to", "har"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=30, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
