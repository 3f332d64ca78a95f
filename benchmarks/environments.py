"""Environments of their own for peers that cannot share one; made the first time."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.peers import NIQUESTS, PEERS, PYCURL

_ROOM = Path(__file__).parent.parent / ".benchmarks"

REQUIREMENTS = {
    # It puts a fork into urllib3's place, for every library beside it.
    PEERS[NIQUESTS].environment: "niquests==3.21.2",
    # It is built where there is no wheel, and only it needs libcurl.
    PEERS[PYCURL].environment: "pycurl==7.49.0",
}


def environments() -> dict[str, Path]:
    """Return the interpreter of each environment, by name; one that cannot be made is left out."""
    made = {name: _made(name, requirement) for name, requirement in REQUIREMENTS.items()}
    return {name: python for name, python in made.items() if python is not None}


def _made(name: str, requirement: str) -> Path | None:
    home = _ROOM / f"{requirement}-{sys.version_info.major}.{sys.version_info.minor}"
    python = home / "bin" / "python"
    done = home / "done"
    if done.exists():
        return python
    print(f"making the environment of {name} in {home}", file=sys.stderr)
    venv.create(home, with_pip=True, clear=True)
    install = [str(python), "-m", "pip", "install", "--quiet", requirement]
    if subprocess.run(install, check=False).returncode:
        print(f"{name} cannot be installed: its rows are left out", file=sys.stderr)
        return None
    done.touch()
    return python
