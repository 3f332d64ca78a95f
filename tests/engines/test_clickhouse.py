"""docs/backends/clickhouse.md in ClickHouse."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from chdb.session import Session

from engines.calls import CALLS, FAILED, ID
from engines.pages import name, questions, statements

SETUP = [text for text in statements("clickhouse") if not text.startswith("SELECT")]


@pytest.fixture(scope="module")
def ask(log, tmp_path_factory):
    """Asks a ClickHouse in whose directory the lines lie, and on which the set-up was run."""
    before = Path.cwd()
    os.chdir(log)
    session = Session(str(tmp_path_factory.mktemp("clickhouse")))
    session.query("CREATE DATABASE docs")
    session.query("USE docs")
    for text in SETUP:
        session.query(text)
    yield lambda sql: json.loads(str(session.query(sql, "JSONCompact")))["data"]
    session.close()
    os.chdir(before)


@pytest.mark.parametrize("question", questions("clickhouse"), ids=name)
def test_every_question_has_an_answer(ask, question):
    """Each query of the page runs as it stands there, and finds something in the log."""
    assert ask(question)


def test_every_trace_is_there(ask):
    """All lines were taken, each once."""
    assert [list(map(int, row)) for row in ask("SELECT count() FROM http_traces")] == [[CALLS + 2]]


def test_what_did_not_happen_is_null(ask):
    """A phase that is absent in the line is NULL, and not 0, also within the attempts."""
    top = ask("SELECT count() FROM http_traces WHERE wait_ms IS NULL")
    nested = ask(
        "SELECT count() FROM http_traces ARRAY JOIN attempts AS a ARRAY JOIN a.exchanges AS e "
        "WHERE e.ms.wait IS NULL"
    )
    assert int(top[0][0]) == int(nested[0][0]) == FAILED + 1


def test_the_call_is_found_and_is_the_right_one(ask):
    """The id of the page leads to the call of that id."""
    (by_id,) = [q for q in questions("clickhouse") if ID in q]
    assert {row[1] for row in ask(by_id)} == {"ok", "connect_error"}


def test_the_index_is_used_for_an_id(ask):
    """Looking for an id goes through the bloom filter."""
    (by_id,) = [q for q in questions("clickhouse") if ID in q]
    plan = ask(f"EXPLAIN indexes = 1 {by_id}")
    assert any("by_trace_id" in row[0] for row in plan)


def test_the_culprits_are_counted(ask):
    """Whose fault it was is counted right."""
    (culprits,) = [q for q in questions("clickhouse") if q.startswith("SELECT verdict_culprit")]
    assert [(row[0], int(row[1])) for row in ask(culprits)] == [("connect", FAILED + 1)]
