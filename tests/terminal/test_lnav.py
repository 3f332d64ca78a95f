"""Our lines in lnav itself."""

from __future__ import annotations

import csv
import io
import os
import subprocess

import pytest
from logs_of_traces import REFUSED_CALL, RETRIED, line, own_line

from tracedclient.cli import main


@pytest.fixture
def lnav(tmp_path, capsys):
    """Runs lnav with our format and nobody's settings, and returns what it wrote."""
    assert main(["lnav-format"]) == 0
    given = tmp_path / "tracedclient_trace.json"
    given.write_text(capsys.readouterr().out)

    def run(*arguments):
        command = ["lnav", *map(str, arguments)]
        environment = {**os.environ, "HOME": str(tmp_path), "TERM": "dumb", "TZ": "UTC"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=50, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("-i", given)
    return run


@pytest.fixture
def log(tmp_path):
    """Two traces of one id, one of another, and a line of the application's own."""
    path = tmp_path / "app.log"
    lines = [line(RETRIED), line(REFUSED_CALL, trace_id="order-17"), line(RETRIED)]
    path.write_text("\n".join([*lines, own_line(trace_id="order-17")]) + "\n")
    return path


def test_lnav_finds_no_fault_with_the_format(lnav):
    """lnav's own check of its configuration says nothing against the format."""
    assert lnav("-C") == ""


def test_a_line_says_what_matters(lnav, log):
    """One row per line, with id, outcome, URL and verdict; no field beneath it."""
    shown = lnav("-n", log).splitlines()
    assert len(shown) == 4
    assert any(
        f"{RETRIED.trace_id} ok GET https://api.example.org/v1/orders/7 200" in row for row in shown
    )
    assert any("order created" in row for row in shown)


def test_the_fields_are_columns(lnav, log):
    """The summary can be asked in SQL, numbers being numbers, and ids are operations."""
    sql = (
        ";SELECT log_opid, count(*) AS lines, max(duration_ms) AS slowest, sum(retry_count) AS retries "
        "FROM tracedclient_trace WHERE outcome IS NOT NULL GROUP BY log_opid ORDER BY lines"
    )
    rows = list(csv.DictReader(io.StringIO(lnav("-n", "-c", sql, "-c", ":write-csv-to -", log))))
    # lnav writes the lines too, before or after the table.
    found = [row for row in rows if row["slowest"]]
    assert [(row["log_opid"], row["lines"], row["retries"]) for row in found] == [
        ("order-17", "1", "0"),
        (RETRIED.trace_id, "2", "2"),
    ]
