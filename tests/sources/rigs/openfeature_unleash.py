"""A real Unleash: npm's ``unleash-server`` on a PostgreSQL 15 of our own.

``UNLEASH_SERVER`` names the directory in which ``npm install unleash-server`` was run.
"""

from __future__ import annotations

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

import requests
from openfeature import api
from openfeature.contrib.provider.unleash import UnleashProvider
from UnleashClient.cache import FileCache

from sources.rigs.zookeeper import free_port
from tracedclient.debug.openfeature import OpenFeatureSource

POSTGRES = Path("/usr/lib/postgresql/15/bin")
ADMIN = "*:*.0123456789abcdef0123456789abcdef"
BACKEND = "default:development.fedcba9876543210fedcba9876543210"
KEY = "tracedclient"
DOMAIN = "unleash"
PATIENCE = 120.0


class Database:
    """A PostgreSQL with its own directory. It refuses to run as root: then it is ``postgres``."""

    def __init__(self):
        assert POSTGRES.exists(), f"no {POSTGRES}: apt-get install postgresql-15"
        self.port = free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._as = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self._directory, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._run("initdb", "-D", "data", "-U", "unleash", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._process = self._start()
        self._await()

    def _run(self, program, *arguments):
        subprocess.run(
            [POSTGRES / program, *arguments],
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            check=True,
            **self._as,
        )

    def _start(self):
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": "20",
        }
        return subprocess.Popen(
            [
                *(POSTGRES / "postgres", "-D", "data"),
                *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
            ],
            cwd=self._directory,
            stderr=subprocess.DEVNULL,
            **self._as,
        )

    def _await(self):
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "unleash"]
        end = time.monotonic() + PATIENCE
        while subprocess.run([POSTGRES / "pg_isready", "-q", *where], check=False).returncode:
            assert time.monotonic() < end, "PostgreSQL does not answer"
            time.sleep(0.1)
        self._run("createdb", *where, "unleash")

    def close(self):
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._directory)


class Server:
    """``start()``, ``kill()``, ``start()`` again on the same port and database."""

    def __init__(self):
        self._code = Path(
            os.environ["UNLEASH_SERVER"], "node_modules/unleash-server/dist/server.js"
        )
        assert self._code.exists(), f"no {self._code}: npm install unleash-server"
        self._database = Database()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self._process = None
        self._admin = requests.Session()
        self._admin.headers["Authorization"] = ADMIN
        self._admin.trust_env = False

    def start(self):
        settings = {
            "DATABASE_URL": f"postgres://unleash@127.0.0.1:{self._database.port}/unleash",
            "DATABASE_SSL": "false",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(self.port),
            "INIT_ADMIN_API_TOKENS": ADMIN,
            "INIT_BACKEND_API_TOKENS": BACKEND,
            # Nothing here may talk to the world.
            "CHECK_VERSION": "false",
            "SEND_TELEMETRY": "false",
            "LOG_LEVEL": "error",
            "NODE_ENV": "production",
        }
        self._process = subprocess.Popen(
            ["node", self._code],
            env={**os.environ, **settings},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._await()

    def _await(self):
        end = time.monotonic() + PATIENCE
        while True:
            assert self._process.poll() is None, "Unleash has ended"
            assert time.monotonic() < end, "Unleash does not answer"
            with suppress(requests.ConnectionError):
                if self._admin.get(f"http://127.0.0.1:{self.port}/health", timeout=5).ok:
                    return
            time.sleep(0.1)

    def ask(self, method, path, body=None, *, allowed=()):
        """The admin API's answer. Raises for 4xx and 5xx but those ``allowed``."""
        answer = self._admin.request(method, f"{self.url}/admin/{path}", json=body, timeout=10)
        assert answer.ok or answer.status_code in allowed, f"{method} {path}: {answer.text}"
        return answer

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self):
        self.kill()
        self._admin.close()
        self._database.close()


class Rig:
    name = "openfeature-unleash"
    # Unleash's client asks its server, here each second; its events do not reach OpenFeature.
    pushed = False

    def __init__(self):
        self._server = Server()
        self._server.start()
        self._caches = Path(tempfile.mkdtemp(prefix="unleash-"))
        self._providers = []
        # One traceback for each failed look at the server.
        logging.getLogger("UnleashClient").setLevel(logging.CRITICAL)

    def source(self):
        return OpenFeatureSource(self._client, KEY, every=0.2)

    def _client(self):
        directory = tempfile.mkdtemp(dir=self._caches)
        provider = UnleashProvider(
            self._server.url, "orders", BACKEND, cache=FileCache("orders", directory=directory)
        )
        provider.client.unleash_refresh_interval = 1
        self._providers.append(provider)
        api.set_provider(provider, DOMAIN)
        return api.get_client(DOMAIN)

    def publish(self, body):
        """Make ``body`` (bytes) the flag: a boolean is its switch, a document its only variant."""
        feature = f"projects/default/features/{KEY}"
        if body is None:
            self._server.ask("DELETE", feature, allowed=[404])
            self._server.ask("DELETE", f"archive/{KEY}", allowed=[404])
            return
        self._server.ask(
            "POST", "projects/default/features", {"name": KEY, "type": "operational"}, allowed=[409]
        )
        environment = f"{feature}/environments/development"
        self._set_strategy(f"{environment}/strategies", body)
        switch = "off" if body == b"false" else "on"
        self._server.ask("POST", f"{environment}/{switch}")

    def _set_strategy(self, path, body):
        variant = {
            "name": "document",
            "weight": 1000,
            "weightType": "variable",
            "stickiness": "default",
            "payload": {"type": "json", "value": body.decode()},
        }
        strategy = {
            "name": "flexibleRollout",
            "parameters": {"rollout": "100", "stickiness": "default", "groupId": KEY},
            "variants": [] if json.loads(body) in (True, False) else [variant],
        }
        there = self._server.ask("GET", path).json()
        if there:
            self._server.ask("PUT", f"{path}/{there[0]['id']}", strategy)
        else:
            self._server.ask("POST", path, strategy)

    def stop(self):
        self._server.kill()

    def start(self):
        self._server.start()

    def close(self):
        for provider in self._providers:
            provider.shutdown()
        self._server.close()
        shutil.rmtree(self._caches)
