"""A real etcd: Debian's ``etcd-server``, one process or several, and ``etcdctl``."""

from __future__ import annotations

import subprocess
import time
from contextlib import ExitStack

import requests

from sources.process import ServerProcess, free_port

PATIENCE = 30.0


class Etcd:
    """A cluster of ``size`` members below ``directory``; ``urls`` are theirs. It begins stopped.

    ``options`` are etcd's own. ``tls`` is (certificate, key, authority), paths: then it speaks
    https, and a client must show a certificate.
    """

    def __init__(self, directory, *options, size=1, tls=None):
        scheme = "https" if tls else "http"
        self._tls = tls
        ports = [(free_port(), free_port()) for _ in range(size)]
        self.urls = [f"{scheme}://127.0.0.1:{port}" for port, _ in ports]
        peers = [f"http://127.0.0.1:{port}" for _, port in ports]
        cluster = ",".join(f"m{number}={peer}" for number, peer in enumerate(peers))
        self.members = []
        for number, (port, _) in enumerate(ports):
            own = directory / f"m{number}"
            own.mkdir()
            command = [
                *("etcd", "--name", f"m{number}", "--data-dir", str(own / "data")),
                *("--initial-cluster", cluster, "--initial-advertise-peer-urls", peers[number]),
                *("--listen-peer-urls", peers[number], "--listen-client-urls", self.urls[number]),
                *("--advertise-client-urls", self.urls[number]),
                *("--heartbeat-interval", "50", "--election-timeout", "500"),
                *("--logger", "zap", "--log-level", "error"),
                *_tls_options(tls),
                *options,
            ]
            self.members.append(ServerProcess(command, port=port, directory=own))

    @property
    def url(self):
        return self.urls[0]

    def start(self):
        """Start the members, or let them go on; return when they have a leader."""
        for member in self.members:
            member.start()
        if self._tls is None:
            self._await_leader()

    def _await_leader(self):
        end = time.monotonic() + PATIENCE
        with _session() as session:
            while not all(_is_healthy(session, url) for url in self.urls):
                assert time.monotonic() < end, "etcd has no leader"
                time.sleep(0.02)

    def hang(self):
        for member in self.members:
            member.hang()

    def stop(self):
        for member in self.members:
            member.stop()

    close = stop

    def __enter__(self):
        with ExitStack() as stack:
            stack.callback(self.stop)
            self.start()
            stack.pop_all()
        return self

    def __exit__(self, *error):
        self.stop()

    def ctl(self, *arguments, stdin=None, user=None):
        """Run ``etcdctl``; return what it says."""
        login = ["--user", user] if user else []
        ran = subprocess.run(
            ["etcdctl", "--endpoints", ",".join(self.urls), *login, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout.decode()

    def authenticate(self, user, password, *, permission, key):
        """Switch authentication on. Root's password is ``root``; ``user`` may ``permission``."""
        for words in (
            ("user", "add", "root:root"),
            ("user", "grant-role", "root", "root"),
            ("role", "add", "flags"),
            ("role", "grant-permission", "flags", permission, key),
            ("user", "add", f"{user}:{password}"),
            ("user", "grant-role", user, "flags"),
            ("auth", "enable"),
        ):
            self.ctl(*words)


def _tls_options(tls):
    if tls is None:
        return []
    certificate, key, authority = tls
    given = ("--cert-file", certificate, "--key-file", key, "--trusted-ca-file", authority)
    return [*given, "--client-cert-auth"]


def _session():
    session = requests.Session()
    session.trust_env = False
    return session


def _is_healthy(session, url):
    try:
        return session.get(f"{url}/health", timeout=5).json().get("health") == "true"
    except (requests.RequestException, ValueError):
        return False
