"""The situations in which both clients are watched: what is asked, and of which server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import servers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXPECT = {"method": "PUT", "body": "x" * 5000, "headers": {"Expect": "100-continue"}}


@dataclass(frozen=True)
class Asked:
    """One request, or several alike, for either client."""

    url: str
    ports: Mapping[int, str] = field(default_factory=dict)
    """Ports that differ from run to run, and what stands for them in what is compared."""
    times: int = 1
    method: str = "GET"
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    proxy: str = ""
    ca: str = ""
    head_timeout: float = 0.0
    unread: bool = False


@dataclass(frozen=True)
class Stage:
    """What scenarios are built from. Each client gets servers of its own."""

    start: Callable[[Any], Any]
    server_context: Callable[..., Any]
    ca: str

    def plain(self, path: str = "/", host: str = "127.0.0.1", **options: Any) -> Asked:
        server = self.start(servers.serve(servers.echo))
        url = f"http://{host}:{server.port}{path}"
        return Asked(url, {server.port: "server"}, **options)

    def tls(self, name: str = "127.0.0.1", **options: Any) -> Asked:
        server = self.start(servers.serve(servers.echo, tls=self.server_context(name)))
        return Asked(f"{server.url}/", {server.port: "server"}, ca=self.ca, **options)

    def scripted(self, handler: Callable[[Any], None], **options: Any) -> Asked:
        server = self.start(servers.ScriptedServer(handler))
        return Asked(f"{server.url}/", {server.port: "server"}, **options)

    def tunnelled(self) -> Asked:
        origin = self.tls()
        proxy = self.start(servers.forward_proxy())
        ports = {**origin.ports, proxy.port: "proxy"}
        return Asked(origin.url, ports, ca=self.ca, proxy=proxy.url)

    def refused_tunnel(self) -> Asked:
        proxy = self.start(servers.forward_proxy(credentials=("user", "secret")))
        return Asked("https://internal.test/", {proxy.port: "proxy"}, proxy=proxy.url)

    def refused(self) -> Asked:
        port = servers.refused_port()
        return Asked(f"http://127.0.0.1:{port}/", {port: "server"})

    def unresolvable(self) -> Asked:
        return Asked("http://nowhere.invalid/")


def refuse_expectation(peer: servers.Peer) -> None:
    peer.read_head()
    peer.answer(417)
    peer.drain()


def ignore_expectation(peer: servers.Peer) -> None:
    peer.read_request()
    peer.answer()
    peer.drain()


def hint_twice(peer: servers.Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" * 2)
    peer.answer(200, b"done")
    peer.drain()


def say_nothing(peer: servers.Peer) -> None:
    peer.read_request()


SCENARIOS: dict[str, Callable[[Stage], Asked]] = {
    "new": lambda stage: stage.plain(host="localhost"),
    "literal address": lambda stage: stage.plain(),
    "reused": lambda stage: stage.plain(times=2),
    "https": lambda stage: stage.tls(),
    "CONNECT": lambda stage: stage.tunnelled(),
    "CONNECT refused": lambda stage: stage.refused_tunnel(),
    "Expect, 100": lambda stage: stage.plain(**EXPECT),
    "Expect, 417": lambda stage: stage.scripted(refuse_expectation, **EXPECT),
    "Expect, silence": lambda stage: stage.scripted(ignore_expectation, **EXPECT),
    "103 twice": lambda stage: stage.scripted(hint_twice),
    "redirect": lambda stage: stage.plain("/redirect-chain/1"),
    "name without address": lambda stage: stage.unresolvable(),
    "refused": lambda stage: stage.refused(),
    "bad certificate": lambda stage: stage.tls("wrong.example"),
    "no head in time": lambda stage: stage.scripted(servers.Peer.drain, head_timeout=0.2),
    "end without an answer": lambda stage: stage.scripted(say_nothing),
    "Connection: close": lambda stage: stage.plain("/close"),
    "body not read": lambda stage: stage.plain("/bytes/5000000", unread=True),
    "small POST": lambda stage: stage.plain(method="POST", body="some body"),
    "HEAD": lambda stage: stage.plain(method="HEAD"),
    "without a body": lambda stage: stage.plain("/status/204"),
    "chunked": lambda stage: stage.plain("/chunked/3"),
}
