"""Traces as Parquet."""

from __future__ import annotations

import os
import subprocess
import sys

import duckdb
import pytest
from logs_of_traces import KINDS, RETRIED, line

from tracedclient.cli import main
from tracedclient.cli.convert.columns import columns
from tracedclient.cli.convert.parquet import to_parquet


@pytest.fixture
def ask(tmp_path):
    """Answers SQL about a file of traces of every kind, which is the table ``traces``."""
    path = tmp_path / "it's.parquet"
    path.write_bytes(b"".join(to_parquet(KINDS.values())))
    with duckdb.connect() as database:
        database.read_parquet(str(path)).create_view("traces")
        yield lambda sql: database.execute(sql).fetchall()


def test_every_field_is_a_column_of_its_type(ask):
    """The columns are the line's fields, in the types that they have in SQL."""
    found = {name: kind for name, kind, *_ in ask("DESCRIBE traces")}
    assert list(found) == list(columns())
    assert found["started_at"] == "TIMESTAMP WITH TIME ZONE"
    assert found["dns_ms"] == "DOUBLE"


def test_values_are_what_they_were(ask):
    """Times are times, and what did not happen is null."""
    rows = ask("SELECT epoch_us(started_at), dns_ms FROM traces")
    assert rows[0] == (1_795_213_678_009_238, 2.1)
    assert rows[2][1] is None


def test_no_trace_is_an_empty_table():
    """Without any trace the file has the columns all the same."""
    assert b"".join(to_parquet([])).startswith(b"PAR1")


def test_what_duckdb_cannot_write_is_told(tmp_path):
    """Where DuckDB has no room for the file, that is said in a line, with exit code 2."""
    code = (
        "import resource, sys; from tracedclient.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "sys.exit(main(['convert', '--to', 'parquet']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=line(RETRIED),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tracedclient: DuckDB: ")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_it(tmp_path):
    """`tracedclient convert app.log --to parquet -o FILE` is the file, and leaves no other."""
    log = tmp_path / "app.log"
    log.write_text(line(RETRIED) + "\n")
    target = tmp_path / "a.parquet"
    assert main(["convert", str(log), "--to", "parquet", "-o", str(target)]) == 0
    assert target.read_bytes().startswith(b"PAR1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "app.log"]
