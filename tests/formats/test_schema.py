"""The published JSON Schema, and the lines."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from logs_of_traces import KINDS, line

from tracedclient.cli import main


@pytest.fixture
def validator(capsys):
    """Checks against what `tracedclient schema` prints."""
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("kind", KINDS)
def test_lines_are_as_the_schema_says(validator, kind):
    """Every kind of line, with what the formatter and the application add, is valid."""
    validator.validate(json.loads(line(KINDS[kind], request_id="r-1")))


def test_another_type_is_refused(validator):
    """A number where a text belongs is refused."""
    with pytest.raises(ValidationError):
        validator.validate(json.loads(line(KINDS["retried"], outcome=7)))
