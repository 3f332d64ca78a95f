import json
import os
import subprocess
import sys
import time

import pytest
from report_logs import call, calls, write

from tracedclient.cli import main
from tracedclient.cli.reporting.progress import Progress


@pytest.fixture
def log(tmp_path):
    return write(tmp_path / "app.log", calls(120))


def report(*args, **kwargs):
    command = [sys.executable, "-W", "error", "-m", "tracedclient", "report", *args]
    return subprocess.run(command, check=False, capture_output=True, timeout=50, **kwargs)


def figures(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("r.html", "<!DOCTYPE html>"),
        ("r.md", "# Report"),
        ("r.json", '{"schema"'),
        ("r.txt", "2026"),
    ],
)
def test_the_suffix_chooses_the_format(tmp_path, log, name, begins):
    """-o report.md is Markdown without a word more; --format wins over it."""
    assert main(["report", log, "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_text().startswith(begins)
    assert main(["report", log, "-o", str(tmp_path / name), "--format", "json"]) == 0
    assert (tmp_path / name).read_text().startswith('{"schema"')


def test_a_pipe_gets_the_page(log):
    """Redirected, the report is the page, in UTF-8 whatever the locale is, and stderr is empty."""
    done = report(log, env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert "·" in done.stdout.decode()


def test_the_standard_input_is_read(log):
    """Without files, and as -, the log comes from a pipe."""
    with open(log, "rb") as stream:  # noqa: PTH123 - as a shell does
        done = report("--format", "json", stdin=stream)
    assert json.loads(done.stdout)["all"]["calls"] == 120


def test_a_log_without_traces_is_told(tmp_path, capsys):
    """Nothing to report is exit code 1, and no page is written."""
    log = write(tmp_path / "app.log", [], b"plain text")
    assert main(["report", log, "-o", str(tmp_path / "r.html")]) == 1
    assert "no trace in what was read" in capsys.readouterr().err
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("engine", ["auto", "python"])
def test_an_unreadable_file_among_readable_ones(tmp_path, log, capsys, engine):
    """The others are reported, the one is named on stderr and in the report; exit code 2."""
    out, missing = tmp_path / "r.json", str(tmp_path / "missing.log")
    assert main(["report", log, missing, "-o", str(out), "--engine", engine]) == 2
    assert f"cannot read {missing}" in capsys.readouterr().err
    assert figures(out)["all"]["calls"] == 120
    assert figures(out)["read"]["unreadable"][0]["name"] == missing


def test_strict_tells_that_something_was_damaged(tmp_path, capsys):
    """Half a record is counted and said, and with --strict the exit code is 3."""
    log = write(tmp_path / "app.log", calls(60), b'{"schema": "tracedclient.trace/1", "tra')
    assert main(["report", log, "--strict", "-o", str(tmp_path / "r.html")]) == 3
    assert "1 line half a record" in capsys.readouterr().err
    assert "1 line half a record" in (tmp_path / "r.html").read_text()


def test_since_and_until_are_exact(tmp_path, log):
    """Only calls that began in the span are counted."""
    out = tmp_path / "r.json"
    span = ["--since", "2026-11-20T22:28:10Z", "--until", "2026-11-20T22:28:19Z"]
    assert main(["report", log, *span, "-o", str(out)]) == 0
    assert figures(out)["all"]["calls"] == 10
    assert figures(out)["over_time"][0]["from"] == "2026-11-20T22:28:10Z"


def test_compare_says_what_changed(tmp_path, log):
    """--compare has both logs' numbers and the differences in words."""
    after = write(tmp_path / "after.log", [call(n, 500.0 + n % 7) for n in range(120)])
    out = tmp_path / "r.json"
    assert main(["report", after, "--compare", log, "-o", str(out)]) == 0
    said = {one["what"]: one["words"] for one in figures(out)["differences"]}
    assert said["errors"] == "fell to none"
    assert said["whole call: p50"].startswith("rose to")


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["-", "-"], "only once"),
        (["--traces", "-1"], "--traces must be 0 or more"),
        (["--since", "yesterday"], "no time"),
        (["--since=now", "--until=-1h"], "--since is later"),
        (["--engine", "duckdb", "-"], "--engine duckdb: - is no plain file"),
        (["--by", "moon"], "invalid choice"),
    ],
)
def test_a_wrong_usage_is_refused(argv, why, capsys):
    """What makes no sense is exit code 2, with what is wrong about it."""
    with pytest.raises(SystemExit) as ended:
        main(["report", *argv])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_a_report_that_cannot_be_written(tmp_path, log, capsys):
    """A directory that is not there is exit code 2, and named."""
    assert main(["report", log, "-o", str(tmp_path / "no" / "r.html")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_the_reader_of_a_pipe_may_go_away(log):
    """head ends early: no traceback, and the exit code of SIGPIPE."""
    command = [sys.executable, "-m", "tracedclient", "report", log]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        errors = process.stderr.read()
        assert (process.wait(20), errors) == (141, b"")


def test_a_hundred_megabytes_in_one_line_take_no_memory(tmp_path):
    """A line without an end is passed over, and counted as what it is; memory stays bounded."""
    path = tmp_path / "app.log"
    write(path, calls(60))
    with path.open("ab") as file:
        file.write(b'{"schema": "tracedclient.trace/1", "x": "')
        for _ in range(100):
            file.write(b"y" * 1_000_000)
        file.write(b'"}\n')
    # Not getrusage: it has what this process had when it forked.
    code = (
        "import re, sys; from tracedclient.cli import main; code = main(sys.argv[1:]);"
        "status = open('/proc/self/status').read();"
        "print(int(re.search('VmHWM:\\s+(\\d+)', status)[1]) // 1024, file=sys.stderr);"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "report", path, "--engine", "python", "--format", "json"],
        check=False, capture_output=True, timeout=50,
    )  # fmt: skip
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["all"]["calls"] == 60
    assert found["read"]["oddities"]
    assert int(done.stderr.split()[-1]) < 100


def test_without_duckdb_python_reads(tmp_path, log):
    """Without the extra the report is the same; who insists on it is told what to install."""
    code = (
        "import sys; sys.modules['duckdb'] = None;"
        "from tracedclient.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "report", log, "--format", "json"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=50)
    assert json.loads(done.stdout)["read"]["engine"] == "Python"
    command += ["--engine", "duckdb"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=50)
    assert done.returncode == 2
    assert b"pip install 'tracedclient[report]'" in done.stderr


class Screen:
    def __init__(self, *, tty):
        self.text, self.tty = "", tty

    def isatty(self):
        return self.tty

    def write(self, text):
        self.text += text

    def flush(self):
        pass


def test_long_work_shows_how_far_it_is():
    """After a second a terminal is told the share, the speed and what is left; then it is cleared."""
    screen = Screen(tty=True)
    progress = Progress(1000, screen, began=time.monotonic() - 2)
    progress(500)
    assert "read 50 % of 1.0 kB" in screen.text
    assert "left" in screen.text
    progress.close()
    assert screen.text.endswith("\r\x1b[K")


def test_short_work_and_pipes_are_told_nothing():
    """No progress in the first second, and none where stderr is no terminal."""
    for screen, began in ((Screen(tty=True), 0), (Screen(tty=False), 2)):
        progress = Progress(0, screen, began=time.monotonic() - began)
        progress(500)
        progress.close()
        assert screen.text == ""
