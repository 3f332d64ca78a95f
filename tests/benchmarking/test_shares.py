"""The table of a request's parts."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracedclient
from benchmarks.flame import tree
from benchmarks.shares import PARTS, REST, shares, table

STACKS = [
    "main (x.py);do (root);HTTPClient.do (tracedclient/client.py);Bounded.send_within (b.py) 30",
    "main (x.py);do (root);HTTPClient.do (tracedclient/client.py);Recorder.usual_line (r.py);figures (v.py) 20",
    "main (x.py);do (root);HTTPClient.do (tracedclient/client.py) 50",
]


def test_each_part_has_its_share_and_the_rest_what_is_left():
    """A sample counts once, for the outermost part it is in; the shares add up to one."""
    found = shares(tree(STACKS, "(root)"))
    assert found["sent and read, in the kernel for the most part"] == pytest.approx(0.3)
    assert found["the line made of what was noted"] == pytest.approx(0.2)
    assert found[REST] == pytest.approx(0.5)
    assert sum(found.values()) == pytest.approx(1)


def test_table_leaves_out_what_is_in_neither():
    """A part that one of the two has not is blank there; one that neither has, has no line."""
    lines = table({"the `Response` made": 0.1, REST: 0.9}, {REST: 1.0}).splitlines()
    assert lines[2:] == ["| the `Response` made | 10% |  |", f"| {REST} | 90% | 100% |"]


def test_every_part_is_that_of_functions_there_are():
    """A function that was renamed takes its part out of the table: here it is missed."""
    sources = "".join(path.read_text() for path in Path(tracedclient.__file__).parent.rglob("*.py"))
    named = [name.partition(" ")[0] for begins in PARTS.values() for name in begins]
    assert [name for name in named if f"def {name.rpartition('.')[2]}(" not in sources] == []
