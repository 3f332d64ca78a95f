"""What docs/ says of the document is what the code does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_type_hints

import pytest

from tracedclient import FlightRecorder
from tracedclient.debug import FlagDocument, FlagStatus, Rule
from tracedclient.debug.document import json_schema
from tracedclient.debug.snapshot import parse

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "flag.md").read_text()
NOW = 1_794_999_000.0


def test_json_schema_is_the_published_one():
    """docs/flag.schema.json is what ``json_schema()`` makes; CONTRIBUTING.md says how to make it anew."""
    made = json.dumps(json_schema(), indent=2, sort_keys=True, ensure_ascii=False)
    assert (DOCS / "flag.schema.json").read_text() == f"{made}\n"


@pytest.mark.parametrize("noun", [FlagDocument, Rule, FlagStatus, FlightRecorder])
def test_every_field_is_documented(noun):
    """Each field of the document, a rule, the status and the flight recorder is in docs/flag.md."""
    names = get_type_hints(noun)
    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_example_is_valid_and_means_what_it_says():
    """The page's example is a document, and its rules match what they seem to."""
    example = PAGE.split("```json\n", 1)[1].split("```", 1)[0]
    snapshot = parse(example.encode(), now=NOW, since=0.0)
    found = snapshot.book.first("POST", "api.pay.com", "/v1/charges", "f" * 32, NOW, 0.0)
    assert found is not None
    assert (found.rule, found.emit) == ("pay", "errors_or_slow")
    assert snapshot.book.first("GET", "api.pay.com", "/v1/charges", "f" * 32, NOW, 0.0) is None
    assert snapshot.updated_by == "alice"
