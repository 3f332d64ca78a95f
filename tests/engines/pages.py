"""The blocks of SQL in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

BACKENDS = Path(__file__).parents[2] / "docs" / "backends"


def statements(page):
    """Return the statements of a page, in order."""
    text = BACKENDS.joinpath(f"{page}.md").read_text()
    return re.findall(r"^```sql\n(.*?);\n```$", text, re.DOTALL | re.MULTILINE)


def questions(page):
    """Return those that ask, each with the sentence before it as its name."""
    return [text for text in statements(page) if text.startswith("SELECT")]


def name(question):
    """Return what tells one question from the others in a test's name."""
    return " ".join(question.split()[1:5])
