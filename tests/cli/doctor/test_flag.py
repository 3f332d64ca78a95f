"""Does ``doctor`` see how the flag's source stands?"""

from __future__ import annotations

import json
import time

import pytest
import servers

from tracedclient.cli.doctor.flag import check_flag, source_of
from tracedclient.debug import ApolloSource, EnvSource, EtcdSource, FileSource, HTTPSource
from tracedclient.debug.source import FlagSource


def document(**more):
    return json.dumps({"schema": 1, "enabled": True, "until": time.time() + 600, **more})


@pytest.fixture
def found(tmp_path):
    """Writes a flag's file and returns what is found of it."""

    def checked(body):
        path = tmp_path / "flag.json"
        path.write_text(body)
        return check_flag(source_of(f"file:{path}"))

    return checked


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("file:/etc/flag.json", FileSource),
        ("http://127.0.0.1:1/flag", HTTPSource),
        ("https://127.0.0.1:1/flag", HTTPSource),
        ("etcd:http://127.0.0.1:2379?key=/flag", EtcdSource),
        ("apollo:http://127.0.0.1:8080?app_id=orders&namespace=flags.json", ApolloSource),
        ("env", EnvSource),
    ],
)
def test_each_kind_of_source_can_be_named(text, kind):
    """Files, URLs, etcd, Apollo and the environment are spelled in one argument."""
    source = source_of(text)
    try:
        assert isinstance(source, kind)
    finally:
        source.close()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file:",
        "redis:x",
        "http://",
        "apollo:http://127.0.0.1:8080",
        "apollo:http://127.0.0.1:8080?app_id=a&color=red",
        "etcd:nowhere",
    ],
)
def test_what_is_no_source_is_refused(text):
    """A source that cannot be is a ValueError, which becomes wrong usage."""
    with pytest.raises(ValueError):
        source_of(text)


def test_a_flag_that_is_on(found):
    """A document in force is good, with who and until when."""
    finding = found(document(updated_by="alice", reason="INC-4711"))
    assert finding.state == "good"
    assert "by alice, because of INC-4711" in finding.said
    assert finding.facts["on"] is True


def test_a_flag_that_has_ended(found):
    """A document whose end has passed is for attention: it looks as if debug were on."""
    finding = found(document(until=time.time() - 60))
    assert finding.state == "attention"
    assert finding.facts["on"] is False


def test_a_flag_that_is_off(found):
    """`false` is good: the flag can be read."""
    assert (found("false").state, found("false").facts["on"]) == ("good", False)


def test_a_broken_document(found):
    """A document that services would refuse is a problem."""
    finding = found("{")
    assert finding.state == "problem"
    assert "not JSON" in finding.said


def test_no_document(tmp_path):
    """A source that has none is reachable, which is what is asked."""
    finding = check_flag(source_of(f"file:{tmp_path / 'none'}"))
    assert finding.state == "good"
    assert "no document" in finding.said


def test_a_source_that_cannot_be_read(tmp_path):
    """What is no regular file, and nobody at the address, is a problem."""
    assert check_flag(source_of(f"file:{tmp_path}")).state == "problem"
    port = servers.refused_port()
    assert check_flag(source_of(f"http://127.0.0.1:{port}/flag")).state == "problem"


def test_a_source_over_http():
    """A URL is asked as a service asks it."""
    body = document().encode()
    with servers.serve(lambda _: servers.Answer(200, body)) as server:
        assert check_flag(source_of(server.url)).state == "good"


def test_any_error_of_a_source_is_a_problem():
    """A source of somebody's own that raises anything ends no check."""

    class Broken(FlagSource):
        name = "broken"

        def fetch(self, previous, *, wait, cancel):
            raise RuntimeError("password=hunter2")

    finding = check_flag(Broken())
    assert finding.state == "problem"
    assert "hunter2" not in finding.said
