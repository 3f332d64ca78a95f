"""The flag in a real Consul; and that our server of its rules answers as it does."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import requests
from sources.consul_agent import MANAGER, ConsulAgent
from sources.consul_server import ConsulServer

from tracedclient.debug import SourceError
from tracedclient.debug.document import MAX_BYTES, decode
from tracedclient.debug.source import Absent, NotModified
from tracedclient.debug.sources.consul import ConsulSource

pytestmark = pytest.mark.installed

KEY = "tracedclient/flag"
PAGE = Path(__file__).parents[3] / "docs" / "centres" / "consul.md"


@pytest.fixture
def agent(tmp_path):
    with ConsulAgent(tmp_path) as running:
        yield running


@pytest.fixture
def later():
    timers = []

    def start(work):
        timers.append(threading.Timer(0.3, work))
        timers[-1].start()

    yield start
    for timer in timers:
        timer.join()


def ask(source, previous=None, wait=20.0):
    return source.fetch(previous, wait=wait, cancel=threading.Event())


def test_life_of_an_entry(agent, later):
    """Created, changed, deleted: each is pushed."""
    with closing(ConsulSource(agent.url)) as source:
        assert ask(source) == Absent()
        revision = None
        for body in (b"true", b"", bytes(range(256)) * (MAX_BYTES // 256), b"false"):
            later(lambda body=body: agent.put(KEY, body))
            fetched = ask(source, revision)
            assert fetched.body == body
            revision = fetched.revision
        later(lambda: agent.delete(KEY))
        assert ask(source, revision) == Absent()


def test_other_keys_are_not_news(agent, later):
    """A key that begins alike does not end the wait with news."""
    agent.put(KEY, b"true")
    with closing(ConsulSource(agent.url)) as source:
        known = ask(source)
        later(lambda: agent.put(f"{KEY}s", b"false"))
        assert ask(source, known.revision, wait=0.6) == NotModified()


@pytest.mark.parametrize("stale", [False, True])
def test_token(tmp_path, stale):
    """A token that may read the key is all it takes; without it, and with a wrong one, Consul's own
    words tell what is missing."""
    with ConsulAgent(tmp_path, acl=True) as agent:
        agent.put(KEY, b"true")
        token = agent.token(f'key "{KEY}" {{ policy = "read" }}')
        with closing(ConsulSource(agent.url, token=token, stale=stale)) as source:
            known = ask(source)
            assert known.body == b"true"
            assert ask(source, known.revision, wait=0.3) == NotModified()
        for wrong, words in ((None, "lacks permission 'key:read'"), (MANAGER[::-1], "not found")):
            with (
                closing(ConsulSource(agent.url, token=wrong)) as source,
                pytest.raises(SourceError, match=words),
            ):
                ask(source)


def test_unknown_datacenter_and_namespace(agent):
    """What the agent does not know is an error in its words, and not a missing entry."""
    for options, words in (
        ({"dc": "mars"}, "No path to datacenter"),
        ({"namespace": "x"}, "Enterp"),
    ):
        with (
            closing(ConsulSource(agent.url, **options)) as source,
            pytest.raises(SourceError, match=words),
        ):
            ask(source)


def test_index_survives_a_restart(agent):
    """After a restart of the agent the same document is no news."""
    agent.put(KEY, b"true")
    with closing(ConsulSource(agent.url)) as source:
        known = ask(source)
        agent.stop()
        with pytest.raises(SourceError, match="ECONNREFUSED"):
            ask(source, known.revision)
        agent.start()
        assert ask(source, known.revision, wait=0) == NotModified()


def conversation(server):
    """What ``server`` answers to reads with and without an index, of what is there and what not."""
    said = []

    def read(**query):
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(f"{server.url}/v1/kv/flag", params=query, timeout=10)
        index = int(answer.headers["X-Consul-Index"])
        there = answer.json() if answer.content else []
        shown = [
            (entry["Key"], entry["Value"], entry["Flags"], entry["LockIndex"]) for entry in there
        ]
        is_index = there == [] or index == there[0]["ModifyIndex"]
        said.append((answer.status_code, answer.headers["X-Consul-Knownleader"], is_index, shown))
        return index, answer.elapsed.total_seconds()

    read()
    server.put("flag", b"true")
    index, _ = read()
    server.put("flag", b"true")
    said.append(read()[0] == index)
    timer = threading.Timer(0.2, lambda: server.put("flag", b""))
    timer.start()
    changed, took = read(index=index, wait="5s")
    timer.join()
    said.append((changed > index, 0.1 < took < 2.0))
    for query in ({"index": index, "wait": "5s"}, {"index": 0, "wait": "5s"}):
        said.append(read(**query)[1] < 1.0)
    for query in ({"index": changed, "wait": "400ms"}, {"index": changed + 99, "wait": "400ms"}):
        again, took = read(**query)
        said.append((again == changed, 0.4 <= took < 1.5))
    server.delete("flag")
    gone, _ = read(index=changed, wait="5s")
    said.append(gone > changed)
    return said


def test_our_server_answers_as_a_real_one(agent):
    """The same conversation with both gives the same answers: what is tested on ours holds."""
    with ConsulServer() as ours:
        assert conversation(ours) == conversation(agent)


def test_documented_commands(tmp_path):
    """What docs/centres/consul.md says to type makes a document that is on, and a token that reads
    it."""
    page = PAGE.read_text()
    put, grant = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (tmp_path / "tracedclient.hcl").write_text(re.search(r"```hcl\n(.*?)```", page, re.DOTALL)[1])
    with ConsulAgent(tmp_path, acl=True) as agent:
        where = {"CONSUL_HTTP_ADDR": agent.url, "CONSUL_HTTP_TOKEN": MANAGER, "USER": "alice"}
        said = subprocess.run(
            ["sh", "-e", "-c", put + grant],
            env={**os.environ, **where},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout
        token = re.search(r"SecretID:\s+(\S+)", said)[1]
        with closing(ConsulSource(agent.url, "tracedclient/orders", token=token)) as source:
            document = decode(ask(source).body)
    assert (document.enabled, document.updated_by) == (True, "alice")
    assert 0 < document.until - time.time() <= 1800
