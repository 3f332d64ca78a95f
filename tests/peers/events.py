"""What the two clients say of the same situation, in one form that can be compared."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from journal import Journal

from tracedclient import TracedSession
from tracedclient.httptrace import client_trace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peers.scenarios import Asked

Event = tuple[str, dict[str, Any]]

PATIENCE = 30.0


class Told(NamedTuple):
    """All that one client told of one situation."""

    events: list[Event]
    status: int | None
    """``None`` when it failed."""


# --- Go ----------------------------------------------------------------------------------------


def told_by_go(peer: str, asked: Asked) -> Told:
    """Run the Go program for ``asked``. Raises ``CalledProcessError`` when it does not work."""
    ran = subprocess.run(
        [peer, *flags(asked), asked.url],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={},
    )
    *lines, outcome = map(json.loads, ran.stdout.splitlines())
    events = [(line["hook"], _comparable(line["args"], asked.ports)) for line in lines]
    return Told(events, outcome["status"] if outcome["error"] is None else None)


def flags(asked: Asked) -> list[str]:
    """``asked`` as the Go program's command line."""
    given = [f"-method={asked.method}", f"-times={asked.times}"]
    given += [f"-header={name}: {value}" for name, value in asked.headers.items()]
    given += [f"-body={asked.body}"] * bool(asked.body)
    given += [f"-proxy={asked.proxy}"] * bool(asked.proxy)
    given += [f"-ca={asked.ca}"] * bool(asked.ca)
    given += [f"-head-timeout={asked.head_timeout}s"] * bool(asked.head_timeout)
    return given + ["-unread"] * asked.unread


# --- ours --------------------------------------------------------------------------------------


def told_by_us(asked: Asked) -> Told:
    """Send ``asked`` with a ``TracedSession``."""
    journal = Journal()
    status: int | None = None
    with TracedSession() as session, client_trace(journal):
        try:
            for _ in range(asked.times):
                status = _send(session, asked)
        except requests.RequestException:
            status = None
    return Told(
        [(hook, _comparable(arguments(hook, info), asked.ports)) for hook, info in journal.entries],
        status,
    )


def _send(session: TracedSession, asked: Asked) -> int:
    with session.request(
        asked.method,
        asked.url,
        data=asked.body or None,
        headers=asked.headers,
        proxies={"http": asked.proxy, "https": asked.proxy} if asked.proxy else None,
        verify=asked.ca or True,
        timeout=(5, asked.head_timeout or 5),
        allow_redirects=True,
        stream=True,
    ) as response:
        if not asked.unread:
            response.raw.read()
        return int(response.status_code)


_SAME_NAME = {
    "get_conn": ["host_port"],
    "got_conn": ["reused", "was_idle", "remote"],
    "put_idle_conn": ["error"],
    "got_1xx_response": ["status"],
    "dns_start": ["host"],
    "dns_done": ["addrs", "error"],
    "connect_start": ["network", "addr"],
    "connect_done": ["network", "addr", "error"],
    "tls_handshake_done": ["error"],
    "wrote_header_field": ["key", "values"],
    "wrote_request": ["error"],
}
"""Hook → its fields that Go has as well."""


def arguments(hook: str, info: Any) -> dict[str, Any]:
    """Return what Go's hook has of ``info``, in the form in which the Go program says it."""
    said = {name: getattr(info, name) for name in _SAME_NAME.get(hook, ())}
    if hook == "got_conn":
        said["has_idle_time"] = info.idle_time is not None and info.idle_time > 0
    if hook == "got_1xx_response":
        names = dict.fromkeys(name for name, _ in info.headers)
        said["headers"] = {n: [v for name, v in info.headers if name == n] for n in names}
    if hook == "tls_handshake_done":
        said["version"] = info.state and info.state.version
        said["certificates"] = int(bool(info.state and info.state.subject))
    return said


# --- both --------------------------------------------------------------------------------------


def _comparable(said: dict[str, Any], ports: Mapping[int, str]) -> dict[str, Any]:
    """Errors become whether there was one, ports what they stand for, header names lower case."""
    plain = {name: _without_ports(value, ports) for name, value in said.items()}
    if "error" in plain:
        plain["error"] = said["error"] is not None
    if "key" in plain:
        plain["key"] = plain["key"].lower()
    return plain


def _without_ports(value: Any, ports: Mapping[int, str]) -> Any:
    if isinstance(value, str):
        for port, name in ports.items():
            value = value.replace(f":{port}", f":<{name}>")
        return value
    if isinstance(value, (list, tuple)):
        return [_without_ports(each, ports) for each in value]
    return value
