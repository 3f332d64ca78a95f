"""The flag in Consul, by the rules of its blocking queries: on a server of ours that keeps them."""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import closing

import pytest
from servers import Answer, refused_port, serve
from sources.consul_server import ConsulServer

from tracedclient.debug import FlagUpdater, SourceError
from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.source import Absent, Document, NotModified
from tracedclient.debug.sources.consul import ConsulSource

KEY = "tracedclient/flag"
LONG = 60.0
PATIENCE = 10.0
TOKEN = "7fe4c0e5-s3cr-et00-0000-000000000000"


@pytest.fixture
def consul():
    with ConsulServer() as server:
        yield server


@pytest.fixture
def source(consul):
    with closing(ConsulSource(consul.url)) as made:
        yield made


def ask(source, previous=None, wait=LONG):
    return source.fetch(previous, wait=wait, cancel=threading.Event())


def indices(consul):
    """The index that each query so far waited from."""
    return [query.get("index") for query in consul.queries]


class Waiting:
    """A fetch in a thread of its own, begun; ``answer()`` is what became of it."""

    def __init__(self, consul, source, previous):
        self.cancel = threading.Event()
        self._became = None
        self._thread = threading.Thread(target=self._run, args=(source, previous))
        self._thread.start()
        consul.wait_until(lambda: consul.holding == 1)

    def _run(self, source, previous):
        try:
            self._became = source.fetch(previous, wait=LONG, cancel=self.cancel)
        except SourceError as error:
            self._became = error

    def answer(self):
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the fetch has not returned"
        return self._became


def test_document(source, consul):
    """The value is taken out of its base64; the revision is the index of the last write, and a hash."""
    consul.put(KEY, b"true")
    assert ask(source) == Document(b"true", f"11-{hashlib.sha256(b'true').hexdigest()[:12]}")


def test_empty_value(source, consul):
    """Consul says null for an empty value: that is an empty document, not a missing one."""
    consul.put(KEY, b"")
    assert ask(source).body == b""


def test_first_fetch_of_a_missing_key(source):
    """404 with an index is Absent, at once."""
    assert ask(source) == Absent()


def test_waiting_begins_at_the_index_of_the_answer(source, consul):
    """A fetch for a known revision waits from the index that came with it."""
    consul.put(KEY, b"true")
    known = ask(source)
    waiting = Waiting(consul, source, known.revision)
    consul.put(KEY, b"false")
    assert waiting.answer().body == b"false"
    assert indices(consul) == [None, "11"]


def test_missing_key_is_waited_for(source, consul):
    """Once the updater has heard that there is no such key, its creation is pushed."""
    ask(source)
    waiting = Waiting(consul, source, None)
    consul.put(KEY, b"true")
    assert waiting.answer().body == b"true"
    assert indices(consul) == [None, "1"]


def test_deletion_is_pushed(source, consul):
    """A deletion ends the wait: Absent."""
    consul.put(KEY, b"true")
    waiting = Waiting(consul, source, ask(source).revision)
    consul.delete(KEY)
    assert waiting.answer() == Absent()


def test_change_between_two_fetches(source, consul):
    """What was changed while nobody asked is answered at once."""
    consul.put(KEY, b"true")
    known = ask(source)
    consul.put(KEY, b"false")
    assert ask(source, known.revision).body == b"false"


def test_same_content_written_again(source, consul):
    """Consul does not write what is there already: the same document put again is no news, and put
    again after a deletion, it is."""
    consul.put(KEY, b"true")
    known = ask(source)
    consul.put(KEY, b"true")
    assert ask(source, known.revision, wait=0) == NotModified()
    consul.delete(KEY)
    consul.put(KEY, b"true")
    again = ask(source, known.revision)
    assert (again.body, again.revision != known.revision) == (b"true", True)


def test_return_without_a_change(source, consul):
    """A query that returns is no guarantee of a change: NotModified."""
    consul.put(KEY, b"true")
    waiting = Waiting(consul, source, ask(source).revision)
    consul.wake()
    assert waiting.answer() == NotModified()


def test_wait_is_not_exceeded(source, consul):
    """The server adds up to a sixteenth to the time it is given; the fetch keeps to its own."""
    consul.put(KEY, b"true")
    known = ask(source)
    began = time.monotonic()
    assert ask(source, known.revision, wait=0.34) == NotModified()
    assert consul.queries[-1]["wait"] == "320ms"
    assert 0.32 <= time.monotonic() - began < 5.0


def test_longest_wait(source, consul):
    """No query asks for more than the ten minutes that Consul allows."""
    consul.put(KEY, b"true")
    known = ask(source)
    consul.impatient = True
    ask(source, known.revision, wait=3600.0)
    assert consul.queries[-1]["wait"] == "564705ms"


def test_no_wait(source, consul):
    """Without time to wait, no query waits: Consul would take a wait of 0 for five minutes."""
    consul.put(KEY, b"true")
    known = ask(source)
    assert ask(source, known.revision, wait=0.0) == NotModified()
    assert indices(consul) == [None, None]


def test_index_that_goes_backwards(source, consul):
    """After a restore the index starts anew at 0: what came with it is read, and then waited on."""
    consul.put(KEY, b"true")
    known = ask(source)
    consul.restore(5, {KEY: b"false"})
    consul.impatient = True
    restored = ask(source, known.revision)
    assert restored.body == b"false"
    consul.impatient = False
    assert ask(source, restored.revision) == NotModified()
    waiting = Waiting(consul, source, restored.revision)
    consul.put(KEY, b"true")
    assert waiting.answer().body == b"true"
    assert indices(consul) == [None, "11", None, "5"]


def test_index_of_zero_is_not_waited_from(source, consul):
    """An index must be above 0: from 0 a query would not wait at all."""
    consul.put(KEY, b"true")
    consul.headers = {"X-Consul-Index": "0"}
    known = ask(source)
    assert ask(source, known.revision) == NotModified()
    assert indices(consul) == [None, None]


def test_restored_content_with_a_number_seen_before(source, consul):
    """Another content has another revision, even where a new cluster counts to the same number."""
    consul.put(KEY, b"true")
    known = ask(source)
    consul.restore(11, {KEY: b"false"})
    consul.impatient = True
    assert ask(source, known.revision).body == b"false"


def test_document_that_was_not_taken(source, consul):
    """A document that the updater has not taken over, whatever its reason, is told again at once."""
    consul.put(KEY, b"true")
    known = ask(source)
    consul.put(KEY, b"{")
    refused = ask(source, known.revision)
    assert ask(source, known.revision) == refused
    assert indices(consul) == [None, "11", None]


def test_recheck_does_not_wait(source, consul):
    """A fetch without a previous revision is answered at once, with the document."""
    consul.put(KEY, b"true")
    known = ask(source)
    assert ask(source) == known
    assert indices(consul) == [None, None]


def test_server_that_answers_every_query_at_once(consul):
    """It is asked once per interval, and not in a loop."""
    consul.put(KEY, b"true")
    consul.impatient = True
    with closing(FlagUpdater(ConsulSource(consul.url), interval=0.2)) as flag:
        began = time.monotonic()
        flag.is_on()
        consul.wait_until(lambda: len(consul.queries) == 5)
        assert time.monotonic() - began >= 0.55


def test_cancel(source, consul):
    """A wait ends soon after it was cancelled."""
    consul.put(KEY, b"true")
    waiting = Waiting(consul, source, ask(source).revision)
    began = time.monotonic()
    waiting.cancel.set()
    waiting.answer()
    assert time.monotonic() - began < 5.0


def test_child_reads_before_it_waits(source, consul):
    """After a fork the first query does not wait: the parent may have heard what the child has not."""
    consul.put(KEY, b"true")
    known = ask(source)
    source.after_fork()
    assert ask(source, known.revision) == NotModified()
    assert indices(consul) == [None, None]


def test_arguments_of_the_query(consul):
    """Datacenter, namespace, partition and stale reads are as Consul names them; the key is quoted."""
    consul.put("a b/ü?", b"true")
    options = {"dc": "eu 1", "namespace": "ops", "partition": "p", "stale": True}
    with closing(ConsulSource(consul.url, "a b/ü?", **options)) as source:
        assert ask(source).body == b"true"
    assert consul.queries == [{"dc": "eu 1", "ns": "ops", "partition": "p", "stale": ""}]
    assert consul.requests[0].path == "/v1/kv/a%20b/%C3%BC%3F"


def test_prefix_of_a_proxy(consul):
    """A path of the URL stands before Consul's own."""
    with closing(ConsulSource(f"{consul.url}/consul/")) as source:
        assert ask(source) == Absent()
    assert consul.requests[0].path == "/consul/v1/kv/tracedclient/flag"


def test_token_is_sent_and_not_shown():
    """The token goes out as X-Consul-Token; no name, no repr and no error shows it."""
    with ConsulServer(token=TOKEN) as consul, closing(ConsulSource(consul.url, token=TOKEN)) as one:
        assert ask(one) == Absent()
        shown = f"{one.name} {one!r}"
        consul.token = "another"
        with pytest.raises(SourceError, match="answered 403 Forbidden: ACL not found") as caught:
            ask(one)
    assert TOKEN not in f"{shown} {caught.value}"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("X-Consul-Index", None, "without X-Consul-Index: is that a Consul agent"),
        ("X-Consul-Index", "-1", "without X-Consul-Index"),
        ("X-Consul-Index", "soon", "without X-Consul-Index"),
        ("X-Consul-Knownleader", "false", "Consul has no leader"),
    ],
)
@pytest.mark.parametrize("there", [True, False])
def test_answer_that_cannot_be_relied_on(source, consul, key, value, words, there):
    """A 404 of a proxy is not Absent, and an agent cut off from its servers is no witness."""
    if there:
        consul.put(KEY, b"true")
    consul.headers = {key: value}
    with pytest.raises(SourceError, match=words):
        ask(source)


def test_no_leader(source, consul):
    """The server's own words stand in the error."""
    consul.leader = False
    with pytest.raises(SourceError, match="500 Internal Server Error: No cluster leader"):
        ask(source)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"<html>", b'[{"Value":"!"}]', b'[{"ModifyIndex":"x"}]', b"\xff"]
)
def test_answer_that_is_not_consuls(body):
    """A 200 of something else is an error, and not a document."""
    headers = {"X-Consul-Index": "7"}
    with (
        serve(lambda _: Answer(200, body, headers)) as server,
        closing(ConsulSource(server.url)) as source,
        pytest.raises(SourceError, match="not that of Consul's KV store"),
    ):
        ask(source)


def test_page_of_a_proxy_is_not_quoted():
    """An error that is not plain text is told by its status alone."""
    page = Answer(503, b"<html>", {"Content-Type": "text/html", "Retry-After": "7"})
    with (
        serve(lambda _: page) as server,
        closing(ConsulSource(server.url)) as source,
        pytest.raises(SourceError, match=r"503 Service Unavailable$") as caught,
    ):
        ask(source)
    assert caught.value.retry_after == 7


def test_largest_document(source, consul):
    """A document of 64 kB arrives whole."""
    consul.put(KEY, b"x" * MAX_BYTES)
    assert len(ask(source).body) == MAX_BYTES


def test_server_that_is_down():
    """A refused connection is an error that names the address."""
    with (
        closing(ConsulSource(f"http://127.0.0.1:{refused_port()}")) as source,
        pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+: ECONNREFUSED"),
    ):
        ask(source)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"url": "consul:8500"}, ValueError, "url must begin with http"),
        ({"url": "http://me:pw@consul"}, ValueError, "pass token="),
        ({"url": "http://consul?dc=eu"}, ValueError, "pass dc="),
        ({"key": ""}, ValueError, "key must be printable"),
        ({"key": "/flag"}, ValueError, "not begin with a slash"),
        ({"key": b"flag"}, TypeError, "key must be a str"),
        ({"token": "a\nb"}, ValueError, "printable ASCII"),
        ({"token": 7}, TypeError, "token must be a str or None, not int"),
        ({"dc": ["eu"]}, TypeError, "dc must be a str or None"),
        ({"partition": True}, TypeError, "partition must be a str or None"),
        ({"total": 0}, ValueError, "total must be above 0"),
    ],
)
def test_arguments(arguments, error, words):
    """An argument that cannot work is refused when the source is made, by its name."""
    with pytest.raises(error, match=words):
        ConsulSource(**arguments)


def test_name():
    """The name says agent and key."""
    with closing(ConsulSource()) as source:
        assert source.name == "consul:127.0.0.1:8500/tracedclient/flag"
