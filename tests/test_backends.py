"""The pages for log backends name what the log line has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from tracedclient.trace.model import TraceResult

BACKENDS = Path(__file__).parent.parent / "docs" / "backends"
FIELDS = {field.name for field in msgspec.structs.fields(TraceResult)}
OTHERS = {
    *("error_percent", "retried_percent", "line_format", "for_example"),
    # Of the backends themselves.
    *("path_targets", "file_match", "forward_to", "structured_metadata", "count_over_time"),
    *("quantile_over_time", "http_traces", "index_patterns", "data_stream", "ignore_above"),
    *("target_field", "ignore_missing", "date_nanos", "overwrite_keys", "content_type"),
    *("_index_template", "_ingest"),
}


def blocks(page, *kinds):
    text = BACKENDS.joinpath(f"{page}.md").read_text()
    return re.findall(rf"^```(?:{'|'.join(kinds)})\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    ("page", "kind"), [("loki", "logql"), ("elasticsearch", "esql"), ("cloudwatch", "")]
)
def test_queries_name_fields_of_the_line(page, kind):
    """A query asks for fields that the line has, and for no others."""
    found = blocks(page, kind)
    assert found
    words = {word for text in found for word in re.findall(r"(?<![\w$])[a-z]+(?:_[a-z]+)+\b", text)}
    assert words - FIELDS - OTHERS == set()


def test_elasticsearchs_mapping_is_of_fields_of_the_line():
    """The blocks of JSON are JSON, and every field in the mapping is one of the line's."""
    template, pipeline = (json.loads(text) for text in blocks("elasticsearch", "json"))
    mapped = set(template["template"]["mappings"]["properties"])
    assert mapped - FIELDS == {"@timestamp"}
    assert pipeline["processors"]


@pytest.mark.parametrize("page", sorted(path.name for path in BACKENDS.glob("*.md")))
def test_each_page_can_be_found(page):
    """docs/convert.md leads to each page, and each says whether it was tested."""
    assert f"(backends/{page})" in (BACKENDS.parent / "convert.md").read_text()
    text = " ".join(BACKENDS.joinpath(page).read_text().split())
    assert "**not tested**" in text or "is run by the project's tests" in text
