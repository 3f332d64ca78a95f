"""What an etcd may answer that is hard to bring a real one to: scripts of its JSON gateway."""

from __future__ import annotations

import base64
import json
import threading
import time
from contextlib import closing

import pytest
from servers import Answer, ScriptedServer, forward_proxy, refused_port, serve

from tracedclient.debug import FlagUpdater, SourceError
from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.source import Absent, NotModified
from tracedclient.debug.sources.etcd_publisher import EtcdPublisher

HEADER = {"revision": "7", "cluster_id": "1", "member_id": "2", "raft_term": "3"}
REFUSED_TOKEN = {"error": "etcdserver: invalid auth token", "code": 16}


def kept(value=b"true", revision=5):
    body = base64.b64encode(value).decode()
    return {"header": HEADER, "kvs": [{"mod_revision": str(revision), "value": body}]}


class Gateway:
    """Answers each path with the next of its ``answers``, the last one for ever."""

    def __init__(self, **answers):
        self.answers = {"range": [kept()], "watch": [[{"result": {"created": True}}]], **answers}

    def __call__(self, peer):
        while (request := peer.read_request()) is not None:
            name = request.path.rpartition("/")[2]
            script = self.answers[name]
            answer = script.pop(0) if len(script) > 1 else script[0]
            if name == "watch":
                lines = [each if isinstance(each, bytes) else encoded(each) for each in answer]
                peer.answer(200, lines)
            elif isinstance(answer, Answer):
                peer.send_answer(answer)
            else:
                peer.answer(200, json.dumps(answer).encode())


def encoded(message):
    return json.dumps(message).encode() + b"\n"


def failure(status, **fields):
    return Answer(status, json.dumps(fields).encode())


@pytest.fixture
def ask(start, follow, fetch):
    """``ask(watch=[…])``: a first fetch of a ``Gateway``, and one more that watches."""

    def twice(**answers):
        server = start(ScriptedServer(Gateway(**answers)))
        source = follow(server.url)
        first = fetch(source)
        return fetch(source, getattr(first, "revision", None))

    return twice


def test_last_of_several_events_counts(ask):
    """A message may bring several events: what the key holds after the last of them is told."""
    events = [{"kv": {"mod_revision": str(n), "value": "dHJ1ZQ=="}} for n in (8, 9)]
    message = {"result": {"header": HEADER, "events": events}}
    assert ask(watch=[[message]]).revision.startswith("9-")
    events.append({"type": "DELETE", "kv": {"mod_revision": "10"}})
    assert ask(watch=[[message]]) == Absent()


def test_messages_without_events(ask):
    """That the watch began, progress, fields of later versions and empty lines are no news."""
    progress = {"result": {"header": {**HEADER, "revision": "99"}, "new_field": [1]}}
    assert ask(watch=[[{"result": {"created": True}}, b"\n", progress]]) == NotModified()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"result": {"canceled": True, "cancel_reason": "why not"}}, "ended the watch: why not"),
        ({"error": {"grpc_code": 14, "message": "etcdserver: no leader"}}, "no leader"),
        ({"result": None}, "no reason"),
        ({"result": {"events": "?"}}, "not that of an etcd"),
        (b"<html>\n", "not that of an etcd"),
        (b"\xff\xfe\n", "not that of an etcd"),
        (b"[" * 100_000 + b"\n", "not that of an etcd"),
    ],
)
def test_watch_that_fails(ask, said, words):
    """An error in the stream is told in words, with or without an end of its line."""
    with pytest.raises(SourceError, match=words):
        ask(watch=[[said]])
    if not isinstance(said, bytes):
        with pytest.raises(SourceError, match=words):
            ask(watch=[[json.dumps(said).encode()]])


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"true", b"<html>", b'{"header":{},"kvs":[{"value":"?"}]}']
)
def test_answer_that_is_not_etcds(start, follow, fetch, body):
    """A 200 of something else is an error, not a missing key."""
    server = start(serve(lambda _: Answer(200, body)))
    with pytest.raises(SourceError, match="not that of an etcd v3 JSON gateway"):
        fetch(follow(server.url))


def test_document_that_was_not_taken(start, follow, fetch):
    """A document that the updater has not taken over, whatever its reason, is told again at once."""
    server = start(ScriptedServer(Gateway()))
    source = follow(server.url)
    refused = fetch(source)
    assert fetch(source, "4-older") == refused
    assert [request.path for request in server.requests] == ["/v3/kv/range"] * 2


def test_child_is_answered_at_once(start, follow, fetch):
    """After a fork the first fetch does not watch: the parent may have heard what the child has not."""
    server = start(ScriptedServer(Gateway()))
    source = follow(server.url)
    known = fetch(source).revision
    source.after_fork()
    assert fetch(source, known) == NotModified()
    assert "/v3/watch" not in [request.path for request in server.requests]


def test_watch_begins_after_the_read(start, follow, fetch):
    """It asks for the revision after the store's own, as that was when the key was read, and to be
    ended when the member loses its leader."""
    server = start(ScriptedServer(Gateway()))
    source = follow(server.url, key="a/ü")
    fetch(source, fetch(source).revision)
    watch = server.requests[-1]
    assert json.loads(watch.body) == {
        "create_request": {"key": base64.b64encode("a/ü".encode()).decode(), "start_revision": 8}
    }
    assert watch.headers.get("Grpc-Metadata-hasleader") == "true"


def test_watches_that_end_at_once(start, follow):
    """A gateway, or a proxy, that ends each watch at once is asked once per interval, not in a loop."""
    server = start(ScriptedServer(Gateway()))
    with closing(FlagUpdater(follow(server.url), interval=0.2)) as flag:
        began = time.monotonic()
        flag.is_on()
        server.wait_until(lambda: len(server.requests) >= 7)
        assert time.monotonic() - began >= 0.35


def test_compacted_for_ever(start, follow):
    """A gateway that calls each revision compacted is asked once per interval, not in a loop."""
    gone = [{"result": {"canceled": True, "compact_revision": "9"}}]
    server = start(ScriptedServer(Gateway(watch=[gone])))
    with closing(FlagUpdater(follow(server.url), interval=0.2)) as flag:
        began = time.monotonic()
        flag.is_on()
        server.wait_until(lambda: len(server.requests) >= 10)
        assert time.monotonic() - began >= 0.35


@pytest.mark.parametrize(
    "words",
    ["invalid auth token", "user name is empty", "revision of auth store is old"],
)
def test_token_is_replaced(start, follow, fetch, words):
    """Whatever etcd calls it that a token is over, the same fetch logs in again, once."""
    over = failure(401, error=f"etcdserver: {words}", message=f"etcdserver: {words}", code=16)
    tokens = [{"token": "one"}, {"token": "two"}]
    gateway = Gateway(range=[over, kept()], authenticate=tokens)
    server = start(ScriptedServer(gateway))
    assert fetch(follow(server.url, user="app", password="s3cret")).body == b"true"
    sent = [request.headers.get("Authorization") for request in server.requests]
    assert sent == [None, "one", None, "two"]
    assert json.loads(server.requests[0].body) == {"name": "app", "password": "s3cret"}


def test_token_is_kept(start, follow, fetch):
    """One token serves all fetches."""
    server = start(ScriptedServer(Gateway(authenticate=[{"token": "one"}])))
    source = follow(server.url, user="app", password="s3cret")
    fetch(source, fetch(source).revision)
    assert [request.path for request in server.requests].count("/v3/auth/authenticate") == 1


def test_token_that_is_never_good(start, follow, fetch):
    """A new token that is refused as well is an error, after one try."""
    refused = Answer(401, json.dumps({**REFUSED_TOKEN, "message": REFUSED_TOKEN["error"]}).encode())
    server = start(ScriptedServer(Gateway(range=[refused], authenticate=[{"token": "one"}])))
    with pytest.raises(SourceError, match="invalid auth token"):
        fetch(follow(server.url, user="app", password="s3cret"))
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_member_without_an_answer_is_passed_over(start, follow, fetch, status):
    """A member that cannot answer now is passed over, and from then on the other is asked."""
    sick = start(ScriptedServer(Gateway(range=[failure(status, message="etcdserver: no leader")])))
    well = start(ScriptedServer(Gateway()))
    source = follow([sick.url, well.url])
    assert [fetch(source).body for _ in range(2)] == [b"true"] * 2
    assert (len(sick.requests), len(well.requests)) == (1, 2)


def test_member_whose_watch_fails_is_passed_over(start, follow, fetch):
    """After a watch that broke off, the next fetch asks another member."""

    def broken(peer):
        while peer.read_request().path.endswith("range"):
            peer.answer(200, json.dumps(kept()).encode())
        peer.reset()

    first, second = start(ScriptedServer(broken)), start(ScriptedServer(Gateway()))
    source = follow([first.url, second.url])
    known = fetch(source).revision
    with pytest.raises(SourceError):
        fetch(source, known)
    assert fetch(source, known, wait=0) == NotModified()
    assert len(second.requests) == 1


def test_refusal_is_not_taken_to_another_member(start, follow, fetch):
    """A permission is the cluster's: the others are not asked."""
    denied = failure(403, message="etcdserver: permission denied", code=7)
    first = start(ScriptedServer(Gateway(range=[denied])))
    second = start(ScriptedServer(Gateway()))
    with pytest.raises(SourceError, match="permission denied"):
        fetch(follow([first.url, second.url]))
    assert second.requests == []


def test_retry_after_of_a_proxy(start, follow, fetch):
    """What a proxy asks for reaches the updater; its page is not quoted."""
    page = Answer(503, b"<html>", {"Retry-After": "7"})
    server = start(serve(lambda _: page))
    with pytest.raises(SourceError, match=r"503 Service Unavailable$") as caught:
        fetch(follow(server.url))
    assert caught.value.retry_after == 7


def test_cancelled_fetch_asks_no_other_member(follow, start):
    """A fetch that is cancelled does not go on to the next member."""
    well = start(ScriptedServer(Gateway()))
    source = follow([f"http://127.0.0.1:{refused_port()}", well.url])
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(SourceError):
        source.fetch(None, wait=1.0, cancel=cancel)
    assert well.requests == []


def test_too_large(start, follow, fetch):
    """A value far beyond 64 kB is an error, and is not read to its end."""
    server = start(ScriptedServer(Gateway(range=[kept(b"x" * MAX_BYTES * 2)])))
    with pytest.raises(SourceError, match="larger than 128 kB"):
        fetch(follow(server.url))


def test_proxy_and_path(start, follow, fetch):
    """A path of the endpoint stands before the prefix, and a proxy is used when it is given."""
    server = start(ScriptedServer(Gateway()))
    proxy = start(forward_proxy())
    assert fetch(follow(f"{server.url}/etcd/", proxy=proxy.url)).body == b"true"
    assert server.requests[0].path == "/etcd/v3/kv/range"


def test_name(follow):
    """The name says the members and the key."""
    source = follow(["http://etcd-1:2379", "https://etcd-2"], "flag")
    assert source.name == "etcd:etcd-1:2379,etcd-2/flag"


@pytest.mark.parametrize(
    ("endpoints", "options", "error", "words"),
    [
        ([], {}, ValueError, "endpoints must name a member"),
        ("etcd:2379", {}, ValueError, "endpoints must begin with http"),
        ("http://me:pw@etcd", {}, ValueError, "endpoints hold no credentials"),
        ("http://etcd?x", {}, ValueError, "endpoints have no query"),
        (7, {}, TypeError, "endpoints must be URLs, not int"),
        ([7], {}, TypeError, "endpoints must be a str"),
        ("http://etcd", {"key": ""}, ValueError, "key must be"),
        ("http://etcd", {"key": b"flag"}, TypeError, "key must be a str"),
        ("http://etcd", {"user": "app"}, TypeError, "user and password must both"),
        ("http://etcd", {"password": "x"}, TypeError, "user and password must both"),
        ("http://etcd", {"prefix": "v3"}, ValueError, "prefix must begin with /"),
        ("http://etcd", {"prefix": 3}, TypeError, "prefix must be a str"),
        ("http://etcd", {"total": 0}, ValueError, "total must be above 0"),
        ("http://etcd", {"cert": "/nowhere"}, ValueError, "cert: there is no file"),
    ],
)
def test_arguments(follow, endpoints, options, error, words):
    """An argument that cannot work is refused when the source is made, by its name."""
    with pytest.raises(error, match=words):
        follow(endpoints, **options)
    with pytest.raises(error, match=words):
        EtcdPublisher(endpoints, **options)


def test_publisher_says_the_revision(start, follow, fetch):
    """What a publisher returns is what a source will show; withdrawing tells whether there was one."""
    gone = [{"header": HEADER, "deleted": "1"}, {"header": HEADER}]
    script = Gateway(put=[{"header": HEADER}], deleterange=gone, range=[kept(revision=7)])
    server = start(ScriptedServer(script))
    with closing(EtcdPublisher(server.url)) as publisher:
        assert publisher.publish(b"true") == fetch(follow(server.url)).revision
        assert [publisher.withdraw(), publisher.withdraw()] == [True, False]
    assert json.loads(server.requests[0].body)["value"] == base64.b64encode(b"true").decode()


def test_cluster_without_authentication(start, follow, fetch):
    """Where authentication is off, a user and a password do no harm, and no token is sent."""
    off = failure(412, message="etcdserver: authentication is not enabled", code=9)
    server = start(ScriptedServer(Gateway(authenticate=[off])))
    assert fetch(follow(server.url, user="app", password="s3cret")).body == b"true"
    assert server.requests[-1].headers.get("Authorization") is None


def test_wrong_password(start, follow, fetch):
    """A log-in that fails is an error in etcd's words."""
    wrong = failure(400, message="etcdserver: authentication failed", code=3)
    server = start(ScriptedServer(Gateway(authenticate=[wrong])))
    with pytest.raises(SourceError, match="authentication failed"):
        fetch(follow(server.url, user="app", password="s3cret"))


def test_publisher_of_no_bytes():
    """A publisher takes bytes."""
    with (
        closing(EtcdPublisher("http://127.0.0.1:1")) as publisher,
        pytest.raises(TypeError, match="document must be bytes, not str"),
    ):
        publisher.publish("true")
