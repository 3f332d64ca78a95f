"""docs/faults.md has every scenario, and names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from faults.cases import CASES

TESTS = Path(__file__).parent.parent
PAGE = (TESTS.parent / "docs" / "faults.md").read_text()
NAMED = sorted(set(re.findall(r"`([a-z_/]+\.py)::(\w+)(?:\[([^`]+)\])?`", PAGE)))


def functions(path):
    """The names of the tests of a file."""
    tree = ast.parse(path.read_text())
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}


def test_every_scenario_has_one_row_that_names_a_test_or_says_why_not():
    """T1 to T88 each have one row, and each row a test or a reason."""
    rows = re.findall(r"^\| T(\d+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)

    assert [int(number) for number, _, _ in rows] == list(range(1, 89))
    assert all("::test_" in kept or kept.startswith("Not kept: ") for _, _, kept in rows)


@pytest.mark.parametrize("path", sorted({path for path, _, _ in NAMED}))
def test_every_test_that_is_named_is_there(path):
    """A test that the page names is in the file that it names."""
    assert {name for file, name, _ in NAMED if file == path} - functions(TESTS / path) == set()


def test_every_case_is_named_and_every_named_case_is_there():
    """The cases of the page are those that are run."""
    assert {case for _, _, case in NAMED if case} == {case.name for case in CASES}
