"""What the numbers depend on: interpreter, libraries, machine, and how busy it was."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

import tracedclient

_LIBRARIES = (
    "requests",
    "urllib3",
    "tenacity",
    "structlog",
    "python-json-logger",
    "msgspec",
)


def versions() -> dict[str, str]:
    """Return the version of Python and of every library that costs a row time."""
    return {
        platform.python_implementation(): platform.python_version(),
        "tracedclient": tracedclient.__version__,
        **{name: metadata.version(name) for name in _LIBRARIES},
    }


def machine() -> dict[str, object]:
    """Return what kind of machine this is."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "processors": os.cpu_count(),
        "compiler": platform.python_compiler(),
        "debug_build": hasattr(sys, "gettotalrefcount"),
        # requests goes through all of them for every request.
        "environment_variables": len(os.environ),
    }


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
