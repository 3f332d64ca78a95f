"""The servers, started: our own, and nginx where it is installed."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks import answers, server
from benchmarks.workers import CHECKOUT, plain_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.certificate import Certificate

_CONFIGURATION = Path(__file__).with_name("nginx.conf")


class Counted(NamedTuple):
    """What a server has counted since it started."""

    connections: int
    requests: int


class Server(NamedTuple):
    """A server that runs on loopback.

    name     "nginx 1.22.1" or "own"
    pid      of its first process
    port     for http
    tls_port for https
    """

    name: str
    pid: int
    port: int
    tls_port: int

    def url(self, path: str, *, tls: bool = False) -> str:
        """Return the URL of ``path``."""
        scheme, port = ("https", self.tls_port) if tls else ("http", self.port)
        return f"{scheme}://{server.HOST}:{port}{path}"

    def counted(self) -> Counted:
        """Return what the server has counted until now; the difference of two is what matters."""
        if self.name == "own":
            seen = self.seen()
            return Counted(seen["connections"], seen["requests"])
        # "server accepts handled requests 16 16 31": this question is counted too.
        status = _get(self.port, "/-/status").split()
        return Counted(int(status[7]), int(status[9]))

    def since(self, before: Counted) -> Counted:
        """Return what came since ``before``, without the question that is asked for it."""
        now, asked = self.counted(), self.name != "own"
        return Counted(
            now.connections - before.connections - asked, now.requests - before.requests - asked
        )

    def seen(self) -> dict[str, Any]:
        """What our own server has seen, with the head and body of the last request."""
        return dict(json.loads(_get(self.port, server.SEEN_PATH)))


def _get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection(server.HOST, port, timeout=30)
    connection.request("GET", path)
    text = connection.getresponse().read().decode()
    connection.close()
    return text


@contextmanager
def own_server(certificate: Certificate) -> Iterator[Server]:
    """Start our own server and yield it; end it on leaving.

    Raises ``RuntimeError`` when it ended before it listened.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server", str(certificate.chain)],
        cwd=CHECKOUT,
        env=plain_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the parent; the server then ends with its standard input.
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        announced = process.stdout.readline().split()
        if not announced:
            raise RuntimeError("the benchmark's server ended before it listened; see its error")
        yield Server("own", process.pid, *map(int, announced))


@contextmanager
def nginx(certificate: Certificate, behind: Server) -> Iterator[Server]:
    """Start the nginx that is on the PATH, with one worker, and yield it; end it on leaving.

    ``behind`` answers for it when a body was uploaded.

    Raises ``RuntimeError`` when it does not listen within 10 s.
    """
    program = shutil.which("nginx")
    assert program is not None
    with tempfile.TemporaryDirectory() as directory:
        # Started by root, nginx reads as nobody.
        Path(directory).chmod(0o755)
        ports = _free_ports(2)
        settings = Path(directory, "nginx.conf")
        settings.write_text(_configuration(directory, ports, certificate, behind), encoding="utf-8")
        Path(directory, "download").write_bytes(b"\0" * answers.MEGABYTES_10)
        process = subprocess.Popen(
            [program, "-p", directory, "-c", str(settings), "-e", "stderr"],
            start_new_session=True,
        )
        try:
            _wait_for(ports[0], process)
            yield Server(f"nginx {_version(program)}", process.pid, *ports)
        finally:
            process.terminate()
            process.wait()


def _configuration(
    directory: str, ports: list[int], certificate: Certificate, behind: Server
) -> str:
    headers = {
        "usual": answers.HEADERS[1:],
        "cookies": answers.COOKIES,
        "large": answers.LARGE,
    }
    text = _CONFIGURATION.read_text(encoding="utf-8")
    names = {
        "directory": directory,
        "port": str(ports[0]),
        "tls_port": str(ports[1]),
        "behind": str(behind.port),
        "certificate": str(certificate.chain),
        "body": answers.BODY.decode(),
        **{
            name: " ".join(f"add_header {key} '{value}';" for key, value in pairs)
            for name, pairs in headers.items()
        },
    }
    return re.sub(r"@(\w+)@", lambda found: names[found[1]], text)


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server((server.HOST, 0)) for _ in range(count)]
    ports = [int(listener.getsockname()[1]) for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((server.HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx did not begin to listen within 10 s; see its error")


def _version(program: str) -> str:
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    return told.strip().partition("nginx/")[2]
