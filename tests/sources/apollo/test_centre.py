"""What holds for every Apollo: run on the faithful server, and on a live one where one is named."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack, closing

import pytest

from sources.apollo.centre import KINDS, running
from tracedclient.debug import FlagUpdater, SourceError
from tracedclient.debug.source import Absent, Document, NotModified
from tracedclient.debug.sources.apollo.openapi import PublishError

LIVE_PUSH = 5.0
"""Seconds for portal, database, its scan each second, and the way here."""
NEVER = threading.Event()


@pytest.fixture(params=KINDS, scope="module")
def centre(request):
    """A ``Centre``."""
    with running(request.param) as one:
        yield one


@pytest.fixture
def opened():
    """``opened(source or publisher)``: closed at the end."""
    with ExitStack() as stack:
        yield lambda each: stack.enter_context(closing(each))


def read(source, previous=None):
    return source.fetch(previous, wait=0.0, cancel=NEVER)


def eventually(fetch, body):
    """The document with that body: a config service is up to a second behind the portal."""
    end = time.monotonic() + LIVE_PUSH
    while time.monotonic() < end:
        fetched = fetch()
        if getattr(fetched, "body", None) == body:
            return fetched
        time.sleep(0.02)
    raise AssertionError(f"last seen: {fetched}")


def distinct():
    """A document that was never published before."""
    return json.dumps({"schema": 1, "enabled": False, "until": time.time()}).encode()


def test_what_is_published_is_read(centre, opened):
    """The publisher's document arrives byte for byte, under a revision of its own."""
    body = '{"schema": 1, "enabled": false, "until": 1, "reason": "Überlast 😀"}'.encode()
    source = opened(centre.source())
    opened(centre.publisher()).publish(distinct())
    opened(centre.publisher()).publish(body, reason="INC-4711")

    assert eventually(lambda: read(source), body).revision


def test_an_unchanged_document_is_not_modified(centre, opened):
    """304 is understood, and a release of the same text is no change."""
    publisher, source, body = opened(centre.publisher()), opened(centre.source()), distinct()
    publisher.publish(body)
    document = eventually(lambda: read(source), body)
    publisher.publish(body)
    time.sleep(0.05)

    assert read(source, document.revision) == NotModified()
    assert read(source) == document


def test_a_release_is_pushed(centre, opened):
    """A held poll ends with the new document."""
    publisher, source, body = opened(centre.publisher()), opened(centre.source()), distinct()
    publisher.publish(distinct())
    first = read(source)
    timer = threading.Timer(0.3, publisher.publish, [body])
    timer.start()

    def fetch():
        return source.fetch(first.revision, wait=30.0, cancel=NEVER)

    assert eventually(fetch, body).body == body
    timer.join()


def test_a_namespace_that_does_not_exist_is_absent(centre, opened):
    """Nothing there is an answer; and its poll is held, not refused."""
    source = opened(centre.source(namespace="no-such-namespace.json", timeout=0.5))

    assert read(source) == Absent()
    began = time.monotonic()
    assert source.fetch(None, wait=0.5, cancel=NEVER) == Absent()
    assert time.monotonic() - began > 0.9


def test_a_namespace_of_properties(centre, opened):
    """The key of a namespace of properties, by its name with and without suffix."""
    body = distinct()
    opened(centre.publisher(namespace=centre.properties)).publish(body)
    plain = opened(centre.source(namespace=centre.properties))
    suffixed = opened(centre.source(namespace=f"{centre.properties}.properties"))

    assert eventually(lambda: read(plain), body).revision == read(suffixed).revision


def test_the_name_in_another_case(centre, opened):
    """A namespace spelled in capitals is the same, for reads and polls."""
    publisher, body = opened(centre.publisher()), distinct()
    publisher.publish(body)
    source = opened(centre.source(namespace=centre.namespace.upper()[:-5] + ".json"))

    first = eventually(lambda: read(source), body)
    publisher.publish(distinct())

    def fetch():
        return source.fetch(first.revision, wait=30.0, cancel=NEVER)

    changed = fetch()
    assert changed != NotModified()
    assert changed.body != body


def test_the_meta_server_knows_the_config_service(centre, opened):
    """The config service is found through its own meta server."""
    body = distinct()
    opened(centre.publisher()).publish(body)
    source = opened(centre.source(meta=centre.url))

    assert eventually(lambda: read(source), body)


def test_a_wrong_access_key_is_refused(centre, opened):
    """An app with an access key refuses another, and says why; one without takes any."""
    source = opened(centre.source(access_key="0" * 32))

    if centre.access_key is None:
        assert read(source) is not None
        return
    with pytest.raises(SourceError, match="401 Unauthorized: the access key is wrong"):
        read(source)
    with pytest.raises(SourceError, match="the app has an access key; pass access_key"):
        read(opened(centre.source(access_key=None)))


def test_an_updater_follows_the_flag(centre, opened):
    """From the portal to ``is_on``: on, off, and each within seconds."""
    publisher = opened(centre.publisher())
    publisher.publish("false")
    updater = opened(FlagUpdater(centre.source(), settle=0.0))
    assert updater.wait_ready(10.0)
    for on in (True, False):
        until = time.time() + 600
        publisher.publish(json.dumps({"schema": 1, "enabled": on, "until": until}))
        end = time.monotonic() + LIVE_PUSH
        while updater.is_on() != on and time.monotonic() < end:
            time.sleep(0.01)
        assert updater.is_on() == on
    assert updater.status().state == "READY"


def test_changes_of_others_are_not_released_along(centre, opened):
    """An item that waits to be released stops the publisher before it has changed anything."""
    publisher = opened(centre.publisher(namespace=centre.properties))
    publisher.publish(distinct())
    other = opened(centre.publisher(namespace=centre.properties, key="other"))
    other._put(str(time.time()))

    with pytest.raises(PublishError, match=r"wait to be released.*: other; release or revert"):
        publisher.publish(distinct())
    other.publish("settled")
    publisher.publish(distinct())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"operator": "nobody-of-that-name"}, "400 Bad Request: user not exists"),
        ({"namespace": "no-such-namespace.json"}, "answered 40[34]"),
    ],
)
def test_the_portal_refuses(centre, opened, options, words):
    """What the portal objects to is told in its own words."""
    with pytest.raises(PublishError, match=words):
        opened(centre.publisher(**options)).publish("false")


def test_a_wrong_token(centre, opened):
    """A token that the portal does not know is a 401, and not shown."""
    publisher = opened(centre._replace(token="wr0ng-t0ken").publisher())

    with pytest.raises(PublishError, match="answered 401") as raised:
        publisher.publish("false")
    assert "wr0ng" not in str(raised.value)


def test_the_longest_document(centre, opened):
    """20,000 characters go through; the publisher does not try with more."""
    body = '"' + "x" * 19_998 + '"'
    source = opened(centre.source())
    publisher = opened(centre.publisher())
    publisher.publish(body)

    assert eventually(lambda: read(source), body.encode())
    with pytest.raises(ValueError, match="at most 20000 characters: 20001"):
        publisher.publish(body + " ")
    publisher.publish("false")


def test_documents_are_documents(centre, opened):
    """The answer of a read is a Document whose body is bytes."""
    opened(centre.publisher()).publish("false")

    assert isinstance(eventually(lambda: read(opened(centre.source())), b"false"), Document)
