"""``ServerProcess``: an installed server, run as a child of the tests on a port of loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PATIENCE = 30.0


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """Runs ``command``, which listens on ``port``. Its output goes to a file of ``directory``.

    Raises ``FileNotFoundError``, which says to run ``install``, when there is no such program.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        install: str = "tests/sources/install",
        patience: float = PATIENCE,
    ) -> None:
        if shutil.which(command[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            raise FileNotFoundError(f"there is no {command[0]} here: run {install}")
        self._command = list(command)
        self._port = port
        self._patience = patience
        self._output = directory / "output.log"
        self._environment = {
            **os.environ,
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
            **(environment or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or let it go on; return when it takes connections."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGCONT)
            return
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._environment,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + self._patience
        pause = threading.Event()
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > end:
                said = self._output.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self._command[0]} does not come up: {said}")
            pause.wait(0.02)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
        except OSError:
            return False
        return True

    def hang(self) -> None:
        """Stop its clock: the kernel still takes connections for it."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def stop(self) -> None:
        """Kill it, and whatever it has started."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
