"""A real Consul: one agent that is also the server, and its HTTP API as an operator uses it."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import requests

from sources.process import ServerProcess, free_port

PATIENCE = 30.0
MANAGER = "5d2c9b0e-0000-4000-8000-00000000000a"


class ConsulAgent:
    """Keeps its data below ``directory``. It begins stopped. ``acl``: deny what no token allows."""

    def __init__(self, directory, *, acl=False):
        port, server, serf = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = {
            "server": True,
            "bootstrap": True,
            "node_name": "flags",
            "bind_addr": "127.0.0.1",
            "client_addr": "127.0.0.1",
            "data_dir": str(directory / "data"),
            "ports": {
                "http": port,
                "server": server,
                "serf_lan": serf,
                **dict.fromkeys(("dns", "grpc", "grpc_tls", "serf_wan"), -1),
            },
            "performance": {"raft_multiplier": 1},
            "connect": {"enabled": False},
            "disable_update_check": True,
            "log_level": "ERR",
        }
        if acl:
            tokens = {"initial_management": MANAGER}
            settings["acl"] = {"enabled": True, "default_policy": "deny", "tokens": tokens}
        configuration = directory / "consul.json"
        configuration.write_text(json.dumps(settings))
        command = ["consul", "agent", "-config-file", str(configuration)]
        self._process = ServerProcess(command, port=port, directory=directory)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["X-Consul-Token"] = MANAGER

    def start(self):
        """Start it, or let it go on; return when it can be written to."""
        self._process.start()
        end = time.monotonic() + PATIENCE
        while not self._is_writable():
            assert time.monotonic() < end, "Consul has no leader"
            time.sleep(0.02)

    def _is_writable(self):
        with suppress(requests.RequestException):
            return self._session.put(f"{self.url}/v1/kv/ready", timeout=5).ok
        return False

    def stop(self):
        self._process.stop()

    def hang(self):
        self._process.hang()

    def close(self):
        self._session.close()
        self.stop()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *error):
        self.close()

    def put(self, key, value):
        assert self.ask("PUT", f"kv/{key}", value) == b"true"

    def delete(self, key):
        self.ask("DELETE", f"kv/{key}")

    def ask(self, method, path, body=b""):
        answer = self._session.request(method, f"{self.url}/v1/{path}", data=body, timeout=10)
        answer.raise_for_status()
        return answer.content

    def token(self, rules):
        """Return a token that may do what ``rules``, in Consul's language, say."""
        policy = json.dumps({"Name": "flags", "Rules": rules})
        self.ask("PUT", "acl/policy", policy)
        made = self.ask("PUT", "acl/token", json.dumps({"Policies": [{"Name": "flags"}]}))
        return json.loads(made)["SecretID"]
