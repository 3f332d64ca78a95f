"""The processes of the rows, seen from the one that measures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from benchmarks.job import Job

CHECKOUT = Path(__file__).parent.parent
VARIABLES = 35
"""How many environment variables each worker has."""


class Cost(NamedTuple):
    """What one request of one block cost on average, in seconds."""

    cpu: float
    wall: float


def plain_environment() -> dict[str, str]:
    """The environment of the workers: nothing in it sends a request elsewhere or slows one row.

    requests goes through all variables for every request, about 2 µs for each, so their number is
    always the same; a container in Kubernetes has seven for each service of its namespace.
    """
    kept = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    # The order of dicts and sets would otherwise be another in each process.
    found |= {"PYTHONHASHSEED": "0", "PYTHONPATH": str(CHECKOUT)}
    usual = {f"ORDERS_{n}_PORT": f"tcp://10.0.0.{n}:80" for n in range(VARIABLES - len(found))}
    return found | usual


class Worker:
    """The process of one row, until the end of the ``with`` block.

    Raises ``RuntimeError`` when the process ended instead of answering; its error is on stderr.
    """

    def __init__(
        self,
        name: str,
        python: Path | str = sys.executable,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [str(python), "-m", "benchmarks.worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
            env=plain_environment() | dict(environment or {}),
        )

    def versions(self) -> dict[str, str]:
        """Return the versions of what the row runs on."""
        return dict(self._ask("versions"))

    def open(self, job: Job) -> None:
        """Open the row's client and make a first request.

        Raises ``RuntimeError`` when its answer has not the size that it must have.
        """
        self._check(self._ask(f"open {job.to_json()}")["size"], job)

    def run(self, count: int, job: Job) -> Cost:
        """Make ``count`` requests and return what one of them cost."""
        told = self._ask(f"run {count}")
        self._check(told["size"], job)
        return Cost(told["cpu"] / count, told["wall"] / count)

    def profile(self, count: int) -> list[str]:
        """Make ``count`` requests and return the stacks that were seen, folded."""
        return list(self._ask(f"profile {count}")["stacks"])

    def resident(self) -> int:
        """Return how many bytes of memory the process has."""
        return int(self._ask("resident")["bytes"])

    def _check(self, size: int, job: Job) -> None:
        if size != job.size:
            raise RuntimeError(f"{self.name}: the body had {size} bytes, not {job.size}")

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(command, file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise RuntimeError(f"{self.name}: its process ended; see its error above")
        return dict(json.loads(answer))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def python_of(name: str, environments: Mapping[str, Path]) -> Path | str | None:
    """Return the interpreter for a row; ``None`` when its environment is not there."""
    environment = PEERS[name].environment
    return environments.get(environment) if environment else sys.executable
