"""docs/backends/duckdb.md in DuckDB."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from engines.calls import CALLS, FAILED, ID
from engines.pages import name, questions, statements

SETUP = [text for text in statements("duckdb") if not text.startswith("SELECT")]


@pytest.fixture(scope="module")
def database(log):
    """A database in whose directory the log lies, and on which the page's set-up was run."""
    before = Path.cwd()
    os.chdir(log)
    with duckdb.connect() as connection:
        for text in SETUP:
            connection.execute(text)
        yield connection
    os.chdir(before)


@pytest.mark.parametrize("question", questions("duckdb"), ids=name)
def test_every_question_has_an_answer(database, question):
    """Each query of the page runs as it stands there, and finds something in the log."""
    assert database.execute(question).fetchall()


def test_nothing_but_traces_is_counted(database):
    """Lines of the application's own, and broken ones, are no rows of the view."""
    assert database.execute("SELECT count(*) FROM traces").fetchall() == [(CALLS + 2,)]


def test_what_did_not_happen_is_null(database):
    """A phase that is absent in the line is NULL, and not 0."""
    ((absent,),) = database.execute("SELECT count(*) FROM traces WHERE wait_ms IS NULL").fetchall()
    assert absent == FAILED + 1


def test_the_call_is_found_and_is_the_right_one(database):
    """The id of the page leads to the call of that id."""
    (by_id,) = [q for q in questions("duckdb") if ID in q]
    assert [row[1] for row in database.execute(by_id).fetchall()] == ["ok", "connect_error"]


def test_the_culprits_are_counted(database):
    """Whose fault it was is counted right."""
    (culprits,) = [q for q in questions("duckdb") if q.startswith("SELECT verdict_culprit")]
    assert [row[:2] for row in database.execute(culprits).fetchall()] == [("connect", FAILED + 1)]
