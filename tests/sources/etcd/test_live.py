"""The flag in a real etcd: what a cluster does on its bad days."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sources.etcd_server import Etcd

from tracedclient.debug import SourceError
from tracedclient.debug.document import MAX_BYTES, decode
from tracedclient.debug.source import Absent, Document, NotModified
from tracedclient.debug.sources.etcd_publisher import EtcdPublisher

pytestmark = pytest.mark.installed

KEY = "/tracedclient/flag"
PAGE = Path(__file__).parents[3] / "docs" / "centres" / "etcd.md"


def test_value_is_bytes(etcd, follow, fetch):
    """Any bytes come as they were put, the most a document may have included."""
    body = bytes(range(256)) * (MAX_BYTES // 256)
    etcd.ctl("put", KEY, stdin=body)
    assert fetch(follow(etcd.url)).body == body


def test_empty_value_and_missing_key(etcd, follow, fetch):
    """A key without a value is an empty document, no key is Absent."""
    source = follow(etcd.url)
    assert fetch(source) == Absent()
    etcd.ctl("put", KEY, "")
    assert fetch(source).body == b""


def test_other_keys_are_not_news(etcd, follow, fetch, later):
    """Neither a key that begins alike nor one next to it ends the watch."""
    etcd.ctl("put", KEY, "true")
    source = follow(etcd.url)
    known = fetch(source)
    later(lambda: etcd.ctl("put", f"{KEY}s", "false"))
    assert fetch(source, known.revision, wait=0.5) == NotModified()


def test_watch_ends_after_wait(etcd, follow, fetch):
    """A watch has no end of its own; the fetch ends it when its time is over."""
    source = follow(etcd.url)
    assert fetch(source) == Absent()
    began = time.monotonic()
    assert fetch(source, wait=0.5) == Absent()
    assert 0.5 <= time.monotonic() - began < 2.0


@pytest.mark.parametrize("change", ["put", "del"])
def test_change_between_read_and_watch(etcd, follow, fetch, relay, change):
    """What happens after the read and before the watch is not lost."""
    etcd.ctl("put", KEY, "true")
    words = {"put": ("put", KEY, "false"), "del": ("del", KEY)}[change]
    url = relay(etcd.url, "/v3/watch", lambda: etcd.ctl(*words))
    source = follow(url)
    known = fetch(source)
    began = time.monotonic()
    fetched = fetch(source, known.revision)
    assert fetched == Absent() if change == "del" else fetched.body == b"false"
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize("last", ["true", "false", None])
def test_compaction_before_the_watch(etcd, follow, fetch, relay, last):
    """When the revision to watch from was compacted away, the key is read again: its last value
    counts, and the same value with the same revision is no news."""
    etcd.ctl("put", KEY, "true")

    def compact():
        for number in range(3):
            etcd.ctl("put", "other", str(number))
        if last != "true":
            etcd.ctl("put", KEY, "false")
        if last is None:
            etcd.ctl("del", KEY)
        revision = int(re.search(r'"revision":(\d+)', etcd.ctl("get", KEY, "-w", "json"))[1])
        etcd.ctl("compaction", str(revision))

    url = relay(etcd.url, "/v3/watch", compact)
    source = follow(url)
    known = fetch(source)
    fetched = fetch(source, known.revision)
    if last == "true":
        assert fetched == NotModified()
    elif last == "false":
        assert fetched.body == b"false"
    else:
        assert fetched == Absent()


def test_end_of_a_lease(etcd, follow, fetch):
    """A document put with a lease goes by itself, and that is pushed."""
    lease = etcd.ctl("lease", "grant", "1").split()[1]
    etcd.ctl("put", KEY, "true", f"--lease={lease}")
    source = follow(etcd.url)
    known = fetch(source)
    assert fetch(source, known.revision) == Absent()


def test_cluster_set_up_anew(tmp_path, follow, fetch):
    """Another content has another revision, although a new cluster counts from the beginning."""
    revisions = set()
    for number, value in enumerate(("true", "false")):
        directory = tmp_path / str(number)
        directory.mkdir()
        with Etcd(directory) as etcd:
            etcd.ctl("put", KEY, value)
            revisions.add(fetch(follow(etcd.url)).revision)
    assert {each.partition("-")[0] for each in revisions} == {"2"}
    assert len(revisions) == 2


def test_prefix_of_older_servers(etcd, follow, fetch):
    """etcd 3.3 has its gateway at /v3beta, which 3.4 serves too; a wrong prefix says so."""
    etcd.ctl("put", KEY, "true")
    assert fetch(follow(etcd.url, prefix="/v3beta")).body == b"true"
    with pytest.raises(SourceError, match=r"404 Not Found; etcd 3\.3 needs prefix='/v3beta'"):
        fetch(follow(etcd.url, prefix="/v4"))


def test_server_dies_during_a_watch(etcd, follow, fetch, later):
    """Its death ends the watch with an error, at once."""
    source = follow(etcd.url)
    fetch(source)
    later(etcd.stop)
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"127\.0\.0\.1"):
        fetch(source)
    assert time.monotonic() - began < 5.0


# Authentication


def test_user_and_password(etcd, follow, fetch, later):
    """A user who may read the key is given it; nothing shows the password."""
    etcd.authenticate("app", "s3cret", permission="read", key=KEY)
    etcd.ctl("put", KEY, "true", user="root:root")
    source = follow(etcd.url, user="app", password="s3cret")
    known = fetch(source)
    assert known.body == b"true"
    later(lambda: etcd.ctl("put", KEY, "false", user="root:root"))
    assert fetch(source, known.revision).body == b"false"
    assert "s3cret" not in f"{source!r} {source}"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "user name is empty"),
        ({"user": "app", "password": "wr0ng"}, "authentication failed, invalid user ID or"),
        ({"user": "app", "password": "s3cret", "key": "/other"}, "permission denied"),
    ],
)
def test_refusals(etcd, follow, fetch, options, words):
    """A refusal is told in etcd's words, with no secret in it."""
    etcd.authenticate("app", "s3cret", permission="read", key=KEY)
    with pytest.raises(SourceError, match=words) as caught:
        fetch(follow(etcd.url, **options))
    assert "s3cret" not in str(caught.value)
    assert "wr0ng" not in str(caught.value)


def test_token_that_ran_out(tmp_path, follow, fetch):
    """A token that is not used runs out: the fetch logs in again, and nobody notices."""
    with Etcd(tmp_path, "--auth-token-ttl", "1") as etcd:
        etcd.authenticate("app", "s3cret", permission="read", key=KEY)
        etcd.ctl("put", KEY, "true", user="root:root")
        source = follow(etcd.url, user="app", password="s3cret")
        known = fetch(source)
        threading.Event().wait(3.0)
        assert fetch(source) == known


def test_token_that_a_restart_forgot(etcd, follow, fetch):
    """etcd keeps its tokens in memory: after a restart the fetch logs in again."""
    etcd.authenticate("app", "s3cret", permission="read", key=KEY)
    etcd.ctl("put", KEY, "true", user="root:root")
    source = follow(etcd.url, user="app", password="s3cret")
    known = fetch(source)
    etcd.stop()
    with pytest.raises(SourceError, match="ECONNREFUSED"):
        fetch(source)
    etcd.start()
    assert fetch(source) == known


def test_authentication_is_switched_on_and_off(etcd, follow, fetch):
    """User and password may be configured before the cluster asks for them, and after."""
    etcd.ctl("put", KEY, "true")
    source = follow(etcd.url, user="app", password="s3cret")
    known = fetch(source)
    etcd.authenticate("app", "s3cret", permission="read", key=KEY)
    assert fetch(source) == known
    etcd.ctl("auth", "disable", user="root:root")
    assert fetch(source) == known


# Several members


@pytest.fixture
def cluster(tmp_path):
    with Etcd(tmp_path, size=3) as running:
        running.ctl("put", KEY, "true")
        yield running


def test_another_member_answers(cluster, follow, fetch, later, in_the_end):
    """When the member that was asked dies, the next one answers the same fetch."""
    source = follow(cluster.urls)
    known = fetch(source)
    cluster.members[0].stop()
    # The other two may have to elect a leader first, and say so.
    assert in_the_end(lambda: fetch(source, wait=0)) == known
    with closing(EtcdPublisher(cluster.urls)) as publisher:
        later(lambda: publisher.publish(b"false"))
        assert fetch(source, known.revision).body == b"false"


def test_member_that_hangs(cluster, follow, fetch, in_the_end):
    """A member that takes the connection and says nothing is passed over when its time is up."""
    source = follow(cluster.urls, total=1.0)
    known = fetch(source)
    cluster.members[0].hang()
    assert in_the_end(lambda: fetch(source, wait=0)) == known


def test_member_without_the_others(cluster, follow, fetch, later):
    """A member cut off from the majority ends its watches, and answers no read: no news is then
    not taken for good news."""
    source = follow(cluster.urls[0])
    known = fetch(source)
    for member in cluster.members[1:]:
        later(member.stop)
    began = time.monotonic()
    with pytest.raises(SourceError, match="no leader"):
        fetch(source, known.revision)
    assert time.monotonic() - began < 15.0
    with pytest.raises(SourceError):
        fetch(source)


def test_all_members_down(cluster, follow, fetch):
    """The error names each of them."""
    source = follow(cluster.urls)
    cluster.stop()
    with pytest.raises(SourceError) as caught:
        fetch(source)
    assert all(url.removeprefix("http://") in str(caught.value) for url in cluster.urls)


# TLS


@pytest.fixture
def files(ca, ca_file, tmp_path):
    """Certificate, key and authority of a server, as etcd takes them."""
    issued = ca.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return str(certificate), str(key), ca_file


def test_client_certificate(
    files, ca_file, client_certificate, tmp_path, follow, fetch, in_the_end
):
    """A server that demands a client's certificate is shown it."""
    with Etcd(tmp_path, tls=files) as etcd:
        source = follow(etcd.url, verify=ca_file, cert=client_certificate)
        assert in_the_end(lambda: fetch(source, wait=0)) == Absent()
        assert fetch(source, wait=0.2) == Absent()
        with pytest.raises(SourceError):
            fetch(follow(etcd.url, verify=ca_file))


# The operator's hand


def test_publisher(etcd, follow, fetch):
    """What is published is read byte for byte, and its revision is the one that the status shows;
    withdrawing it is Absent."""
    source = follow(etcd.url)
    with closing(EtcdPublisher(etcd.url)) as publisher:
        assert publisher.name == source.name
        for body in (b'{"schema": 1}', b"true", b"true"):
            revision = publisher.publish(body)
            assert fetch(source) == Document(body, revision)
        assert [publisher.withdraw(), publisher.withdraw()] == [True, False]
        assert fetch(source) == Absent()


def test_publisher_who_may_only_read(etcd):
    """A user without the permission to write is refused, in etcd's words."""
    etcd.authenticate("app", "s3cret", permission="read", key=KEY)
    with closing(EtcdPublisher(etcd.url, user="app", password="s3cret")) as publisher:
        with pytest.raises(SourceError, match="permission denied"):
            publisher.publish(b"true")
        with pytest.raises(SourceError, match="permission denied"):
            publisher.withdraw()


def test_publisher_who_may_write(etcd, follow, fetch):
    """A user with the permission to write is let, and read by another who may only read."""
    etcd.authenticate("oncall", "s3cret", permission="readwrite", key=KEY)
    with closing(EtcdPublisher(etcd.url, user="oncall", password="s3cret")) as publisher:
        revision = publisher.publish(b"true")
    assert fetch(follow(etcd.url, user="oncall", password="s3cret")).revision == revision


# The documentation


def test_documented_commands(etcd, follow, fetch):
    """What docs/centres/etcd.md says to type makes a document that is on, and a user who reads it."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    put, grant = blocks
    grant = grant.replace("user add orders", "user add orders:s3cret")
    where = {**os.environ, "ETCDCTL_ENDPOINTS": etcd.url, "USER": "alice"}
    subprocess.run(["sh", "-e", "-c", put + grant], env=where, check=True, timeout=30)
    for words in (("user", "add", "root:root"), ("user", "grant-role", "root", "root")):
        etcd.ctl(*words)
    etcd.ctl("auth", "enable")
    source = follow(etcd.url, "/tracedclient/orders", user="orders", password="s3cret")
    document = decode(fetch(source).body)
    assert (document.enabled, document.updated_by) == (True, "alice")
    assert 0 < document.until - time.time() <= 1800
