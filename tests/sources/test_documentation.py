"""The pages for operators say what works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sources.rigs import ENTRIES
from tracedclient.debug.document import FlagDocument, decode

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.joinpath("centres").glob("*.md"))


def documents(page):
    """Every flag document of ``page``, as JSON or in a shell's here-document."""
    text = re.sub(r"\$\(date [^)]*\)", "1795000000", page.read_text())
    return re.findall(r'^ *(\{"schema".*?\})$(?!\n "rules)', text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_document_to_enter(page):
    """Each page has the document to enter, and each that it has is one."""
    found = documents(page)
    assert found
    for body in found:
        assert isinstance(decode(body.encode()), FlagDocument), body


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_can_be_found(page):
    """docs/sources.md leads to each page."""
    assert f"(centres/{page.name})" in (DOCS / "sources.md").read_text()


@pytest.mark.parametrize("entry", [e for e in ENTRIES if not e.installed], ids=lambda e: e.name)
def test_propagation_is_told(entry):
    """Each source of the suite has its row in the table of measured times."""
    assert f"\n| {entry.load().name} | " in (DOCS / "sources.md").read_text()
