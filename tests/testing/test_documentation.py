"""docs/testing.md: its examples run, and it names what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import tracedclient
from tracedclient import testing

PACKAGE = Path(tracedclient.__file__).parent
DOCS = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()


def examples():
    """File name and text of each example: its first line names its file."""
    return re.findall(r"```python\n# (\S+)\n(.*?)```", DOCS, re.DOTALL)


def test_every_example_runs(tmp_path):
    """Put into files of these names and run by pytest, with warnings as errors, all of them pass."""
    assert len(examples()) == DOCS.count("```python")
    for name, text in examples():
        (tmp_path / name).write_text(text)

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    # One of them has two parameters.
    assert f"{DOCS.count('def test_') + 1} passed" in run.stdout


def test_every_public_name_is_told_of():
    """Each name of tracedclient.testing is in the docs, but for the types of what is told of."""
    told = set(re.findall(r"\w+", DOCS))
    assert set(testing.__all__) - told == {"FaultyServer", "Request"}


def test_every_public_name_is_documented():
    """Each has a docstring of its own, and its module too."""
    for name in testing.__all__:
        thing = getattr(testing, name)
        assert thing.__doc__, name
        assert not thing.__doc__.startswith(f"{name}("), name


NOT_LOADED = """
import sys
from tracedclient import *
from tracedclient import debug, debugging, httptrace, inbound
print([name for name in sys.modules if name.startswith("tracedclient.testing")])
"""


def test_nothing_else_loads_it():
    """Who does not test does not load it, whatever else of the package is used."""
    run = subprocess.run(
        [sys.executable, "-c", NOT_LOADED],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert run.stdout == "[]\n"
