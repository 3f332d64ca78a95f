"""``tracedclient flag`` with the places that need a server: Apollo, etcd, a URL."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing

import pytest
import servers

from sources.apollo.centre import running
from sources.etcd_server import Etcd
from tracedclient.cli import main
from tracedclient.debug import EtcdSource, FlagUpdater

KEY = "/orders/flag"
ON = ["--host", "b.internal", "--reason", "INC-4711", "--by", "alice"]


def flag(*argv, code=0):
    assert main(["flag", *argv]) == code


@pytest.fixture
def said(capsys):
    """``said()``: what went to stdout and stderr since, each without its line breaks."""

    def take():
        printed = capsys.readouterr()
        return [" ".join(text.split()) for text in (printed.out, printed.err)]

    return take


@pytest.fixture
def follow():
    """``follow(source)``: an updater that looks at once, and follows every change."""
    with ExitStack() as stack:

        def make(source):
            updater = FlagUpdater(source, interval=0.1, settle=0, jitter=lambda: 0.05)
            return stack.enter_context(closing(updater))

        yield make


# --- Apollo ---------------------------------------------------------------------------------------


@pytest.fixture
def centre():
    """A faithful Apollo."""
    with running("faithful") as one:
        yield one


@pytest.fixture
def in_apollo(centre, monkeypatch):
    """The arguments that name the place in its portal; the token is in the environment."""
    monkeypatch.setenv("TRACEDCLIENT_APOLLO_TOKEN", centre.token)
    place = ["--apollo", centre.portal, "--app", centre.app, "--env", centre.env]
    return [*place, "--operator", centre.operator]


def test_apollo(centre, in_apollo, follow, eventually, said):
    """What is published through the portal is what a service does, and what `show` tells."""
    updater = follow(centre.source())
    flag("on", *in_apollo, *ON)
    eventually(updater.is_on)
    status = updater.status()
    assert (status.updated_by, status.reason) == ("alice", "INC-4711")
    flag("show", *in_apollo)
    flag("off", *in_apollo, "--by", "bob")
    eventually(lambda: not updater.is_on())

    out, err = said()
    name = f"apollo:{centre.env}/{centre.app}/default/tracedclient.json"
    assert out.count(f"{name} on until ") == 2
    assert out.count("INC-4711: every call to b.internal") == 2
    assert "nothing was there before" in out
    assert "off, by bob it replaces: on until " in out
    assert err == ""


def test_apollo_by_its_meta_server(centre, in_apollo, monkeypatch, said):
    """`show --apollo-meta` reads as a service does, with the access key of the environment."""
    monkeypatch.setenv("TRACEDCLIENT_APOLLO_ACCESS_KEY", centre.access_key)
    flag("on", *in_apollo, *ON)
    said()
    flag("show", "--apollo-meta", centre.url, "--app", centre.app)
    assert "INC-4711: every call to b.internal" in said()[0]

    monkeypatch.setenv("TRACEDCLIENT_APOLLO_ACCESS_KEY", "wrong")
    flag("show", "--apollo-meta", centre.url, "--app", centre.app, code=1)
    out, err = said()
    assert out == ""
    assert "the access key is wrong or disabled" in err


def test_apollo_refuses(centre, in_apollo, monkeypatch, said):
    """A refusal of the portal is exit code 1, told in its words, and without the token."""
    flag("on", *in_apollo[:-1], "nobody", code=1)
    assert "is not known to be changed: PUT" in (refused := said()[1])
    assert "user not exists: nobody" in refused

    monkeypatch.setenv("TRACEDCLIENT_APOLLO_TOKEN", "s3cret-t0ken")
    for action in ("on", "show"):
        flag(action, *in_apollo, code=1)
        out, err = said()
        assert "answered 401 Unauthorized" in err
        assert "s3cret" not in out + err


def test_apollo_takes_no_long_value(in_apollo, said):
    """A document that Apollo has no room for is refused before anything is changed."""
    hosts = [word for number in range(99) for word in ("--host", f"{number:0300}")]
    flag("on", *in_apollo, *hosts, code=1)
    assert "document must have at most 20000 characters" in said()[1]


# --- etcd -----------------------------------------------------------------------------------------


@pytest.mark.installed
def test_etcd(tmp_path, follow, eventually, said):
    """What is put into a real etcd is what a service does, and what `show` tells."""
    with Etcd(tmp_path) as etcd:
        place = ["--etcd", etcd.url, "--key", KEY]
        updater = follow(EtcdSource(etcd.url, KEY))
        flag("show", *place)
        flag("on", *place, *ON)
        eventually(updater.is_on)
        document = json.loads(etcd.ctl("get", KEY, "--print-value-only"))
        flag("off", *place, "--by", "bob")
        eventually(lambda: not updater.is_on())

    out, err = said()
    assert document["rules"] == [{"id": "INC-4711", "hosts": ["b.internal"]}]
    assert "off: there is no document" in out
    assert "nothing was there before" in out
    assert "off, by bob it replaces: on until " in out
    assert err == ""


@pytest.mark.installed
def test_etcd_with_a_password(tmp_path, monkeypatch, said):
    """User and password are those of who may write; a reader is refused, and nothing changes."""
    with Etcd(tmp_path) as etcd:
        etcd.authenticate("reader", "s3cret", permission="read", key=KEY)
        monkeypatch.setenv("TRACEDCLIENT_ETCD_PASSWORD", "s3cret")
        place = ["--etcd", etcd.url, "--key", KEY, "--user", "reader"]
        flag("show", *place)
        flag("on", *place, code=1)
        flag("show", *place)

    out, err = said()
    assert out.count("off: there is no document") == 2
    assert "permission denied" in err
    assert "s3cret" not in out + err


def test_an_etcd_that_is_down(said):
    """It is exit code 1, and told which member did not answer."""
    with servers.serve(servers.echo) as server:
        gone = server.url
    flag("on", "--etcd", gone, code=1)
    assert "is not known to be changed" in (err := said()[1])
    assert "Connection refused" in err
    flag("show", "--etcd", gone, code=1)
    assert said()[1].startswith("tracedclient: cannot read etcd:127.0.0.1:")


# --- a URL ----------------------------------------------------------------------------------------


def test_a_url(start, monkeypatch, said):
    """`show --url` reads as a service does, with the Authorization of the environment."""

    def answer(request):
        allowed = request.headers.get("Authorization") == "Bearer abc"
        return (200, [], b"true") if allowed else (401, [], b"")

    server = start(servers.serve(answer))
    flag("show", "--url", f"{server.url}/flag.json", code=1)
    assert "answered 401 Unauthorized" in said()[1]

    monkeypatch.setenv("TRACEDCLIENT_HTTP_AUTHORIZATION", "Bearer abc")
    flag("show", "--url", f"{server.url}/flag.json")
    assert "on for 30 min" in said()[0]
