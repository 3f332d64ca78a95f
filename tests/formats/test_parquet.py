"""What we write as Parquet, read back."""

from __future__ import annotations

import duckdb
import pyarrow.parquet
import pytest
from logs_of_traces import KINDS, REFUSED_CALL, RETRIED

from tracedclient.cli.convert.columns import columns
from tracedclient.cli.convert.parquet import to_parquet


@pytest.fixture
def written(tmp_path):
    """A file of traces of every kind."""
    path = tmp_path / "traces.parquet"
    path.write_bytes(b"".join(to_parquet(KINDS.values())))
    return path


def query(path, sql):
    with duckdb.connect() as database:
        return database.execute(sql.replace("FILE", f"'{path}'")).fetchall()


def test_every_field_is_a_column(written):
    """Another implementation than the one that wrote it reads all columns and all rows."""
    table = pyarrow.parquet.read_table(written)
    assert table.column_names == list(columns())
    assert table.num_rows == len(KINDS)


def test_values_are_what_they_were(written):
    """Times are times, what did not happen is null, and texts are whole whatever is in them."""
    rows = query(
        written,
        "SELECT trace_id, epoch_us(started_at), dns_ms, http_response_status_code FROM FILE",
    )
    assert rows[0] == (RETRIED.trace_id, 1_795_213_678_009_238, 2.1, 200)
    assert rows[2][2:] == (None, None)
    ((sentence,),) = query(
        written, "SELECT verdict_sentence FROM FILE WHERE outcome = 'connect_error'"
    )
    assert sentence == REFUSED_CALL.verdict_sentence


def test_attempts_are_nested(written):
    """The tree of attempts and exchanges is there to be unnested."""
    rows = query(
        written,
        "SELECT e.url, e.ms.tls, e.request_headers['accept'] FROM FILE, unnest(attempts) AS t(a), "
        "unnest(a.exchanges) AS u(e) WHERE e.ms.tls IS NOT NULL OR e.error IS NOT NULL",
    )
    assert ("https://api.example.org/v1/orders/7", 24.9, None) in rows
    assert any(accept == "*/*" for _, _, accept in rows)
