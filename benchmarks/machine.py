"""What the numbers depend on: interpreter, libraries, machine, and how busy it was."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.peers import PEERS
from benchmarks.workers import Worker, python_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def versions(rows: Iterable[str], environments: Mapping[str, Path]) -> dict[str, str]:
    """Return the version of Python and of every library that costs a row time."""
    found: dict[str, str] = {}
    for name in rows:
        python = python_of(name, environments)
        if python is None or not PEERS[name].libraries:
            continue
        with Worker(name, python) as worker:
            found |= worker.versions()
    return found


def machine() -> str:
    """Return what kind of machine this is, in words."""
    return f"{platform.system()} {platform.release()}, {os.cpu_count()} processors, {_processor()}"


def load() -> float | None:
    """Return the load average of the last minute; ``None`` where there is none (Windows)."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())
