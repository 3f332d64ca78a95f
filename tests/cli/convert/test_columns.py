"""The types of the fields, for engines."""

from __future__ import annotations

import msgspec

from tracedclient.cli.convert.columns import columns
from tracedclient.trace.model import TraceResult


def test_every_field_has_a_column():
    """A field that is added to the line is added to the columns, in its place."""
    assert list(columns()) == [field.name for field in msgspec.structs.fields(TraceResult)]


def test_the_types_are_those_of_the_model():
    """Texts, numbers, truths and times keep their kinds, and attempts their tree."""
    found = columns()
    kinds = [found[name] for name in ("trace_id", "server_port", "dns_ms", "conn_reused")]
    assert kinds == ["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"]
    assert found["started_at"] == "TIMESTAMPTZ"
    assert found["verdict_evidence"] == "VARCHAR[]"
    assert found["attempts"].startswith('STRUCT("number" BIGINT, "started_at" TIMESTAMPTZ,')
    assert '"request_headers" MAP(VARCHAR, VARCHAR)' in found["attempts"]
