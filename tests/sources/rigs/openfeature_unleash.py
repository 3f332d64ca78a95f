"""Unleash: npm's ``unleash-server``, on a PostgreSQL 15 as Debian packages it.

One server serves all rigs of this process, for its first start takes ten seconds.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import json
import logging
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from openfeature import api
from openfeature.contrib.provider.unleash import UnleashProvider
from pushing_provider import start_event_threads
from UnleashClient.cache import FileCache

from sources.process import ServerProcess, free_port
from sources.rig import Rig
from tracedclient.debug import OpenFeatureSource

if TYPE_CHECKING:
    from openfeature.client import OpenFeatureClient

POSTGRES = Path("/usr/lib/postgresql/15/bin")
# Where tests/sources/install puts it, unless told otherwise.
SERVER = Path(os.environ.get("UNLEASH_SERVER", "/opt/unleash"))
ADMIN = "*:*.0123456789abcdef0123456789abcdef"
BACKEND = "default:development.fedcba9876543210fedcba9876543210"
PATIENCE = 60.0
_numbers = itertools.count()


class Database:
    """A PostgreSQL with its own directory. It refuses to run as root: then it is ``postgres``."""

    def __init__(self) -> None:
        if not POSTGRES.exists():
            raise FileNotFoundError("there is no PostgreSQL 15 here: run tests/sources/install")
        self.port = free_port()
        self.directory = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "unleash"]
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "-D", "data", "-U", "unleash", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._process = self._start()
        self._await()
        self._run("createdb", *self._where, "unleash")

    def _run(self, program: str, *arguments: str) -> None:
        quiet = subprocess.DEVNULL
        command = [POSTGRES / program, *arguments]
        subprocess.run(command, cwd=self.directory, stdout=quiet, check=True, **self._as)

    def _start(self) -> subprocess.Popen[bytes]:
        settings = ["listen_addresses=127.0.0.1", f"port={self.port}"]
        settings += ["unix_socket_directories=", "fsync=off", "max_connections=20"]
        options = itertools.chain.from_iterable(("-c", setting) for setting in settings)
        return subprocess.Popen(
            [POSTGRES / "postgres", "-D", "data", *options],
            cwd=self.directory,
            stderr=subprocess.DEVNULL,
            **self._as,
        )

    def _await(self) -> None:
        end = time.monotonic() + PATIENCE
        while subprocess.run([POSTGRES / "pg_isready", "-q", *self._where], check=False).returncode:
            assert time.monotonic() < end, "PostgreSQL does not answer"
            time.sleep(0.05)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self.directory)


class UnleashServer:
    """The server, its database, and the operator's hand on its admin API."""

    def __init__(self) -> None:
        code = SERVER / "node_modules/unleash-server/dist/server.js"
        if not code.exists():
            raise FileNotFoundError(f"there is no {code}: run tests/sources/install")
        self._database = Database()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api"
        self._admin = requests.Session()
        self._admin.headers["Authorization"] = ADMIN
        self._admin.trust_env = False
        self._directory = Path(tempfile.mkdtemp(prefix="unleash-"))
        self._process = ServerProcess(
            ["node", str(code)],
            port=port,
            directory=self._directory,
            environment={
                "DATABASE_URL": f"postgres://unleash@127.0.0.1:{self._database.port}/unleash",
                "DATABASE_SSL": "false",
                "HTTP_HOST": "127.0.0.1",
                "HTTP_PORT": str(port),
                "INIT_ADMIN_API_TOKENS": ADMIN,
                "INIT_BACKEND_API_TOKENS": BACKEND,
                # Nothing here may talk to the world.
                "CHECK_VERSION": "false",
                "SEND_TELEMETRY": "false",
                "LOG_LEVEL": "error",
                "NODE_ENV": "production",
            },
        )
        self.stop = self._process.stop

    def start(self) -> None:
        self._process.start()
        end = time.monotonic() + PATIENCE
        while not self._is_healthy():
            assert time.monotonic() < end, "Unleash does not answer"
            time.sleep(0.05)

    def _is_healthy(self) -> bool:
        with suppress(requests.ConnectionError):
            return self._admin.get(self.url.replace("/api", "/health"), timeout=5).ok
        return False

    def ask(self, method: str, path: str, body: object = None, *, allowed: int = 0) -> Any:
        """The admin API's answer, as JSON. Raises for 4xx and 5xx but the one ``allowed``."""
        answer = self._admin.request(method, f"{self.url}/admin/{path}", json=body, timeout=10)
        assert answer.ok or answer.status_code == allowed, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    def close(self) -> None:
        self._process.stop()
        self._admin.close()
        self._database.close()
        shutil.rmtree(self._directory)


@functools.cache
def the_server() -> UnleashServer:
    server = UnleashServer()
    owner = os.getpid()
    atexit.register(lambda: server.close() if os.getpid() == owner else None)
    return server


class UnleashRig(Rig):
    # Its Python client looks at the server, here twice a second; no event of it reaches OpenFeature.
    name = "OpenFeature, Unleash"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        start_event_threads()
        self._server = the_server()
        self._server.start()
        self._providers: list[UnleashProvider] = []
        # One traceback for each failed look.
        logging.getLogger("UnleashClient").setLevel(logging.CRITICAL)
        # One each: what a rig has left is still told for a second.
        self._key = self._domain = f"tracedclient-{os.getpid()}-{next(_numbers)}"

    def source(self) -> OpenFeatureSource:
        return OpenFeatureSource(self._client, self._key, every=0.2)

    def _client(self) -> OpenFeatureClient:
        cache = FileCache("orders", directory=tempfile.mkdtemp(dir=self.directory))
        provider = UnleashProvider(self._server.url, "orders", BACKEND, cache=cache)
        provider.client.unleash_refresh_interval = 0.5
        self._providers.append(provider)
        api.set_provider(provider, self._domain)
        return api.get_client(self._domain)

    def publish(self, body: bytes | None) -> None:
        feature = f"projects/default/features/{self._key}"
        if body is None:
            self._server.ask("DELETE", feature, allowed=404)
            self._server.ask("DELETE", f"archive/{self._key}", allowed=404)
            return
        fresh = {"name": self._key, "type": "operational"}
        self._server.ask("POST", "projects/default/features", fresh, allowed=409)
        environment = f"{feature}/environments/development"
        self._set_strategy(f"{environment}/strategies", variants_of(body))
        self._server.ask("POST", f"{environment}/on")

    def switch_off(self) -> None:
        """Turn off the switch, and leave the flag as it is."""
        self._server.ask(
            "POST", f"projects/default/features/{self._key}/environments/development/off"
        )

    def _set_strategy(self, path: str, variants: list[object]) -> None:
        strategy = {
            "name": "flexibleRollout",
            "parameters": {"rollout": "100", "stickiness": "default", "groupId": self._key},
            "variants": variants,
        }
        there = self._server.ask("GET", path)
        if there:
            self._server.ask("PUT", f"{path}/{there[0]['id']}", strategy)
        else:
            self._server.ask("POST", path, strategy)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def close(self) -> None:
        for provider in self._providers:
            provider.shutdown()


def variants_of(body: bytes) -> list[object]:
    """A bare ``true`` is the switch alone; all else is the payload of the only variant.

    So is "off": a switch that is off says no more than a flag that does not exist.
    """
    text = body.decode(errors="replace").strip()
    if text == "true":
        return []
    if text == "false":
        text = json.dumps({"schema": 1, "enabled": False, "until": 1})
    payload = {"type": "json" if text.startswith("{") and _is_json(text) else "string"}
    shared = {"weight": 1000, "weightType": "variable", "stickiness": "default"}
    return [{"name": "document", "payload": {**payload, "value": text}, **shared}]


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
