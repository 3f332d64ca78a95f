"""Benchmarks of single parts, which print what they find: ``python -m benchmarks.policy``, ….

A run of everything runs those that are there, and puts what they print on the page.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from benchmarks.workers import CHECKOUT, plain_environment

PARTS = ("policy", "flag", "flight")
_HERE = Path(__file__).parent


def measure_parts() -> dict[str, str]:
    """Return by title what each part printed, in a fresh process.

    Raises ``CalledProcessError`` when one fails; its error is on stderr.
    """
    there = [part for part in PARTS if (_HERE / f"{part}.py").exists()]
    return {title(part): _printed(part) for part in there}


def title(part: str) -> str:
    """Return the first line of a module's docstring, without its command."""
    tree = ast.parse((_HERE / f"{part}.py").read_text(encoding="utf-8"))
    first = (ast.get_docstring(tree) or part).splitlines()[0]
    said = first.replace(f"``python -m benchmarks.{part}``", "").strip(" :.")
    return said[0].upper() + said[1:]


def _printed(part: str) -> str:
    told = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{part}"],
        cwd=CHECKOUT,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return told.stdout
