"""The three services as processes: started with a port each, waited for through their logs, ended."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
SERVICES = ("shop", "stock", "worker")

_SECONDS_TO_START = 30
_SECONDS_TO_END = 10


class Failed(Exception):
    """A service ended by itself, or did not do in time what was waited for."""


class Town(NamedTuple):
    """The three, running in a directory."""

    directory: Path
    environment: dict[str, str]
    """With which others find them."""
    processes: dict[str, subprocess.Popen[bytes]]

    def wait_for(
        self, said: Callable[[dict[str, Any]], bool], *services: str, seconds: float = 20
    ) -> None:
        """Wait until each of ``services`` has logged a line of which ``said`` is true."""
        end = time.monotonic() + seconds
        for service in services:
            while not any(map(said, self.lines(service))):
                self._check(service, overdue=time.monotonic() > end)
                time.sleep(0.02)

    def lines(self, service: str) -> list[dict[str, Any]]:
        """Return the whole lines of its log, parsed."""
        log = self.directory / "logs" / f"{service}.log"
        text = log.read_text(encoding="utf-8") if log.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line[-1:] == "\n"]

    def _check(self, service: str, *, overdue: bool) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise Failed(f"{name} has ended by itself, with {process.returncode}")
        if overdue:
            raise Failed(f"{service} has not logged what was waited for; see logs/{service}.log")


@contextmanager
def running(directory: Path, *, zipkin: str | None = None) -> Iterator[Town]:
    """Start the three in ``directory``, and end them when the block ends, however it does.

    ``zipkin`` is where they are to send their spans, if anywhere.
    """
    for name in ("logs", "jobs"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        doors = {name: stack.enter_context(_bound()) for name in ("shop", "stock")}
        # The loopback is not to be reached by a proxy.
        environment = {**os.environ, "NO_PROXY": "127.0.0.1"}
        environment |= {name.upper(): _url(door) for name, door in doors.items()}
        environment |= {"ZIPKIN": zipkin} if zipkin else {}
        town = Town(directory, environment, {})
        stack.callback(_end, town.processes)
        for name in SERVICES:
            town.processes[name] = _started(name, town, doors.get(name))
        town.wait_for(lambda line: line["event"] == "started", *SERVICES, seconds=_SECONDS_TO_START)
        yield town


def run(town: Town, *command: str) -> str:
    """Run a Python program of its own in the directory of ``town``; return what it printed."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=town.directory,
        env=town.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"{' '.join(command)} has ended with {done.returncode}")
    return done.stdout


def _bound() -> socket.socket:
    # Bound and listening before the service is there: nobody else can get the port, and who calls
    # early waits instead of being refused.
    return socket.create_server(("127.0.0.1", 0))


def _url(door: socket.socket) -> str:
    return f"http://127.0.0.1:{door.getsockname()[1]}"


def _started(name: str, town: Town, door: socket.socket | None) -> subprocess.Popen[bytes]:
    handed = [] if door is None else [door.fileno()]
    return subprocess.Popen(
        [sys.executable, str(HERE / f"{name}.py")],
        cwd=town.directory,
        env=town.environment | {"LISTEN_FD": " ".join(map(str, handed))},
        pass_fds=handed,
        stdin=subprocess.PIPE,
    )


def _end(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in processes.values():
        process.terminate()
    for process in processes.values():
        try:
            process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdin is not None
        process.stdin.close()
