"""The order of the hooks in each situation: docs/httptrace.md has the table, each row is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
import servers
from dialing import hole

from httptrace.watching import ask

DOCS = (Path(__file__).parent.parent.parent / "docs" / "httptrace.md").read_text()
EXPECT = {"method": "PUT", "data": b"x" * 5000, "headers": {"Expect": "100-continue"}}


def documented_orders():
    """Name of a situation → its hooks. A name is at a line's start, its hooks two spaces on."""
    (block,) = re.findall(r"```orders\n(.*?)```", DOCS, re.DOTALL)
    rows = re.split(r"\n(?=\S)", block.strip())
    return {name: hooks.split() for name, hooks in (row.split("  ", 1) for row in rows)}


ORDERS = documented_orders()
SCENARIOS = {}


def scenario(name):
    """Enters a function that runs one situation of the table."""

    def enter(function):
        SCENARIOS[name] = function
        return function

    return enter


class Stage:
    """What the scenarios play with."""

    def __init__(self, request):
        self.journal = request.getfixturevalue("journal")
        self.session = request.getfixturevalue("trusting")
        self.start = request.getfixturevalue("start")
        self._fixture = request.getfixturevalue

    def ask(self, url, **options):
        return ask(self.session, url, self.journal, **options)

    def fails(self, url, **options):
        with pytest.raises(requests.RequestException):
            self.ask(url, **options)

    def serve(self, *, names=(), **options):
        tls = self._fixture("server_context")(*names) if names else None
        return self.start(servers.serve(servers.echo, tls=tls, **options))

    def script(self, handler):
        return self.start(servers.ScriptedServer(handler)).url

    def resolve(self, name, *addresses):
        self._fixture("resolver")[name] = list(addresses)


@pytest.fixture
def stage(request):
    return Stage(request)


@pytest.mark.parametrize("name", ORDERS)
def test_order(stage, name):
    """Each situation calls the hooks in the documented order, and each of them as often."""
    SCENARIOS[name](stage)

    assert stage.journal.hooks == ORDERS[name]


def test_every_order_is_run():
    """The table and the scenarios name the same situations."""
    assert ORDERS.keys() == SCENARIOS.keys()


# --- connections -------------------------------------------------------------------------------


@scenario("new http")
def _(stage):
    stage.resolve("new.test", "127.0.0.1")
    stage.ask(f"http://new.test:{stage.serve().port}/")


@scenario("literal address")
def _(stage):
    stage.ask(stage.serve().url)


@scenario("reused")
def _(stage):
    server = stage.serve()
    stage.ask(server.url)
    stage.journal.entries.clear()
    stage.ask(server.url)


@scenario("stale in the pool")
def _(stage):
    server = stage.start(
        servers.ScriptedServer(lambda peer: (peer.read_request(), peer.answer())),
    )
    stage.ask(server.url)
    server.wait_until(lambda: server.open_connections == 0)
    stage.journal.entries.clear()
    stage.ask(server.url)


@scenario("https")
def _(stage):
    stage.ask(stage.serve(names=["127.0.0.1"]).url)


@scenario("CONNECT")
def _(stage):
    server, proxy = stage.serve(names=["127.0.0.1"]), stage.start(servers.forward_proxy())
    stage.ask(server.url, proxies={"https": proxy.url})


@scenario("CONNECT through https")
def _(stage):
    server = stage.serve(names=["127.0.0.1"])
    tls = stage._fixture("server_context")("127.0.0.1")
    proxy = stage.start(servers.forward_proxy(tls=tls))
    stage.ask(server.url, proxies={"https": proxy.url})


@scenario("CONNECT refused")
def _(stage):
    proxy = stage.start(servers.forward_proxy(credentials=("user", "secret")))
    stage.fails("https://internal.test/", proxies={"https": proxy.url})


@scenario("first address refuses")
def _(stage):
    stage.resolve("two.test", "127.0.0.9", "127.0.0.1")
    stage.ask(f"http://two.test:{stage.serve().port}/")


@scenario("first address is dead")
def _(stage):
    server = stage.serve()
    stage.start(hole("127.0.0.9", server.port))
    stage.resolve("two.test", "127.0.0.9", "127.0.0.1")
    stage.ask(f"http://two.test:{server.port}/")


# --- 1xx ---------------------------------------------------------------------------------------


@scenario("Expect, 100")
def _(stage):
    stage.ask(stage.serve().url, **EXPECT)


@scenario("Expect, 417")
def _(stage):
    def refuse(peer):
        peer.read_head()
        peer.answer(417)
        peer.drain()

    stage.ask(stage.script(refuse), **EXPECT)


@scenario("Expect, silence")
def _(stage):
    stage.ask(stage.script(lambda peer: (peer.read_request(), peer.answer())), **EXPECT)


@scenario("103 twice")
def _(stage):
    def hint(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2)
        peer.answer()

    stage.ask(stage.script(hint))


# --- bodies ------------------------------------------------------------------------------------


@scenario("without a body")
def _(stage):
    stage.ask(f"{stage.serve().url}/", method="HEAD")


@scenario("Connection: close")
def _(stage):
    stage.ask(f"{stage.serve().url}/close")


@scenario("body closed early")
def _(stage):
    stage.ask(f"{stage.serve().url}/bytes/1000000", stream=True).close()


@scenario("body cut off")
def _(stage):
    def cut(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    stage.fails(stage.script(cut))


@scenario("redirect")
def _(stage):
    stage.ask(f"{stage.serve().url}/redirect-chain/1")


# --- failures ----------------------------------------------------------------------------------


@scenario("name without address")
def _(stage):
    stage.fails("http://nowhere.invalid/")


@scenario("refused")
def _(stage):
    stage.fails(f"http://127.0.0.1:{servers.refused_port()}/")


@scenario("bad certificate")
def _(stage):
    stage.fails(stage.serve(names=["wrong.example"]).url)


@scenario("no head in time")
def _(stage):
    stage.fails(stage.start(servers.hanging_server()).url, timeout=0.1)


@scenario("end without an answer")
def _(stage):
    stage.fails(stage.script(lambda peer: peer.read_request()))


@scenario("retry")
def _(stage):
    def once_only(peer):
        peer.read_request()
        if peer.number > 1:
            peer.answer(200, b"at last")

    client = stage._fixture("client")
    client.get(stage.script(once_only), trace=stage.journal)
