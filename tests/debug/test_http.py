"""A flag behind a URL, and all that a server may answer instead."""

from __future__ import annotations

import gzip
import hashlib
import threading
from contextlib import closing

import pytest
from servers import Answer, refused_port, serve

from tracedclient.debug import HTTPSource, SourceError
from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.source import Absent, Document, NotModified

SECRET = "s3cret"
OLD = "Wed, 21 Oct 2015 07:28:00 GMT"
NEW = "Wed, 21 Oct 2015 07:28:01 GMT"
LATER = "Wed, 21 Oct 2015 07:28:02 GMT"


class Place:
    """What a server has at its one URL, until told otherwise."""

    def __init__(self):
        self.answer = Answer(200, b"true", {"ETag": '"1"'})

    def __call__(self, request):
        asked = request.headers.get("If-None-Match")
        mine = dict(self.answer.headers).get("ETag")
        return Answer(304) if asked is not None and asked == mine else self.answer

    def gives(self, body, **headers):
        self.answer = Answer(200, body, {k.replace("_", "-"): v for k, v in headers.items()})


@pytest.fixture
def place():
    return Place()


@pytest.fixture
def server(place):
    with serve(place) as running:
        yield running


@pytest.fixture
def url(server):
    return f"http://127.0.0.1:{server.port}/flag.json"


@pytest.fixture
def source(url):
    with closing(HTTPSource(url)) as made:
        yield made


def ask(source, previous=None, wait=30.0):
    return source.fetch(previous, wait=wait, cancel=threading.Event())


def asked(server):
    """The ``If-None-Match`` of each request so far."""
    return [request.headers.get("If-None-Match") for request in server.requests]


def test_content_and_its_hash(source):
    """A fetch brings the body; the revision is its SHA-256, not what the server calls it."""
    assert ask(source) == Document(b"true", hashlib.sha256(b"true").hexdigest())


def test_unchanged_document_is_not_sent(source, server):
    """The ETag of the document in force is asked about, and 304 is NotModified."""
    revision = ask(source).revision
    assert [ask(source, revision), ask(source, revision)] == [NotModified()] * 2
    assert asked(server) == [None, '"1"', '"1"']


@pytest.mark.parametrize("previous", [None, "of another document"])
def test_unconditional(source, server, previous):
    """Asked anew, or without having applied what it brought, a source gets the whole document."""
    ask(source)
    assert ask(source, previous).body == b"true"
    assert asked(server) == [None, None]


def test_changed_document(source, place):
    """Another ETag brings another document, and is asked about from then on."""
    revision = ask(source).revision
    place.gives(b"false", ETag='"2"')
    changed = ask(source, revision)
    assert changed.body == b"false"
    assert ask(source, changed.revision) == NotModified()


def test_same_content_under_another_etag(source, place):
    """A new ETag for the same content, as after a redeployment, is no change."""
    revision = ask(source).revision
    place.gives(b"true", ETag='"2"')
    assert ask(source, revision) == NotModified()


def test_shared_etag_is_seen_through(source, place):
    """Another content under the same ETag is found by asking without it."""
    revision = ask(source).revision
    place.gives(b"null", ETag='"1"')
    assert ask(source, revision) == NotModified()
    assert ask(source, None).body == b"null"
    assert 0 < source.recheck <= 60


@pytest.mark.parametrize(
    ("modified", "trusted"), [(OLD, True), (NEW, False), (LATER, False), ("yesterday", True)]
)
def test_young_etag_is_not_trusted(source, place, server, modified, trusted):
    """nginx's ETag can be shared by two edits of one second: a young one is not asked about."""
    place.gives(b"true", ETag='"1"', Last_Modified=modified, Date=LATER)
    ask(source, ask(source).revision)
    assert asked(server) == [None, '"1"' if trusted else None]


@pytest.mark.parametrize("etag", ["", "x" * 2000, "\xe9", None])
def test_etag_that_cannot_be_sent_back(source, place, server, etag):
    """Without a sensible ETag each fetch brings the whole, and the hash tells what changed."""
    place.gives(b"true", **({} if etag is None else {"ETag": etag}))
    assert ask(source, ask(source).revision) == NotModified()
    assert asked(server) == [None, None]


@pytest.mark.parametrize("status", [404, 410])
def test_absent(source, place, status):
    """404 and 410 say that there is no document; the next one is seen."""
    revision = ask(source).revision
    place.answer = Answer(status, b"<html>no</html>")
    assert ask(source, revision) == Absent()
    place.gives(b"true", ETag='"1"')
    assert ask(source).body == b"true"


@pytest.mark.parametrize("status", [204, 206, 400, 401, 403, 407, 429, 500, 502, 503, 504])
def test_refused(source, place, status):
    """Any other status is an error that names it, and says when to come back if it was told."""
    place.answer = Answer(status, b"", {"Retry-After": "17"})
    with pytest.raises(SourceError, match=f"answered {status} ") as caught:
        ask(source)
    assert caught.value.retry_after == 17


def test_304_that_was_not_asked_for(source, place):
    """A 304 without a question is no answer."""
    place.answer = Answer(304)
    with pytest.raises(SourceError, match="answered 304"):
        ask(source)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (f"https://u:{SECRET}@login.test/{SECRET}?{SECRET}", "login.test"),
        ("/elsewhere", "127.0.0.1:"),
        ("javascript:x", "no valid URL"),
        ("//[", "no valid URL"),
    ],
)
def test_redirect(source, place, server, location, shown):
    """A redirect is an error that says where to, without secrets; nobody goes there."""
    place.answer = Answer(302, b"", {"Location": location})
    with pytest.raises(SourceError, match=f"302 Found, a redirect to {shown}") as caught:
        ask(source)
    assert SECRET not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><p>Log in", b"\n  <html>", b"<?xml?>"])
def test_page_of_a_captive_portal(source, place, page):
    """A page is an error that says what it may be, and the next document is seen."""
    revision = ask(source).revision
    place.gives(page, Content_Type="text/html")
    with pytest.raises(SourceError, match="a page instead of a flag document"):
        ask(source, revision)
    place.gives(b"false")
    assert ask(source, revision).body == b"false"


def test_gzip(source, place):
    """A compressed document is a document."""
    place.gives(gzip.compress(b"false"), Content_Encoding="gzip")
    assert ask(source).body == b"false"


@pytest.mark.parametrize("body", [bytes(MAX_BYTES + 1), gzip.compress(bytes(50_000_000))])
def test_too_large(source, place, body):
    """A document beyond 64 kB is an error, compressed or not."""
    place.gives(body, **({"Content_Encoding": "gzip"} if body[:1] == b"\x1f" else {}))
    with pytest.raises(SourceError, match="larger than 64 kB"):
        ask(source)


@pytest.mark.parametrize(
    ("mode", "path", "target", "prefer"),
    [
        (None, "/f", "/f", None),
        ("prefer", "/f?a=%2b", "/f?a=%2b", "wait=30"),
        ("query", "/f", "/f?wait=30", None),
        ("query", "/f?a=%2b#x", "/f?a=%2b&wait=30", None),
    ],
)
def test_long_poll(server, mode, path, target, prefer):
    """A server that can hold a request is asked to, in its way, once there is what to compare."""
    with closing(HTTPSource(f"http://127.0.0.1:{server.port}{path}", long_poll=mode)) as source:
        ask(source, ask(source).revision)
    first, second = server.requests
    assert (first.target, first.headers.get("Prefer")) == (path.partition("#")[0], None)
    assert (second.target, second.headers.get("Prefer")) == (target, prefer)


@pytest.mark.parametrize(("mode", "is_held"), [("prefer", True), (None, False)])
def test_hold_is_within_the_wait(mode, is_held):
    """A request is held for ``wait`` seconds and more only when the server was asked to."""

    def app(request):
        is_held = request.headers.get("If-None-Match") is not None
        return Answer(304, delay=0.8) if is_held else Answer(200, b"true", {"ETag": '"1"'})

    with (
        serve(app) as server,
        closing(
            HTTPSource(f"http://127.0.0.1:{server.port}/", long_poll=mode, total=0.4)
        ) as source,
    ):
        revision = ask(source).revision
        if is_held:
            assert ask(source, revision, wait=1.0) == NotModified()
        else:
            with pytest.raises(SourceError, match=r"within 0\.4 s"):
                ask(source, revision, wait=1.0)


@pytest.mark.parametrize(("mode", "hold"), [(None, 0.0), ("prefer", 30.0), ("query", 30.0)])
def test_silence_is_noticed(url, mode, hold):
    """Only a source that polls long may be silent for long before the flag counts as stale."""
    with closing(HTTPSource(url, long_poll=mode)) as source:
        assert source.hold == hold


def test_headers(url, server):
    """The user's headers are sent; caches on the way are asked to look again."""
    with closing(HTTPSource(url, headers={"Authorization": "Bearer abc"})) as source:
        ask(source)
    headers = server.requests[0].headers
    assert headers.get("Authorization") == "Bearer abc"
    assert headers.get("Cache-Control") == "no-cache"


def test_name_and_errors_show_no_secret(updater, eventually, lines, caplog):
    """Userinfo and query are in no name, no status and no log line."""
    caplog.set_level("DEBUG")
    port = refused_port()
    source = HTTPSource(
        f"http://me:{SECRET}@127.0.0.1:{port}/flag.json?token={SECRET}",
        headers={"X-Token": SECRET},
    )
    assert source.name == f"http://127.0.0.1:{port}/flag.json"
    flag = updater(source)
    flag.is_on()
    eventually(lambda: lines("WARNING"))
    assert "ECONNREFUSED" in flag.status().last_error
    assert SECRET not in f"{source!r}{source}{flag!r}{flag.status()}{caplog.text}"


@pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 503])
def test_no_status_ends_it(updater, eventually, url, place, status):
    """Whatever the server answers, the flag is asked for again, and seen when it is back."""
    place.answer = Answer(status)
    flag = updater(HTTPSource(url))
    flag.is_on()
    eventually(lambda: flag.status().state in {"ERROR", "ABSENT"})
    place.gives(b"true")
    eventually(flag.is_on)


def test_last_good_one_is_kept(updater, eventually, url, place, lines):
    """A server that turns to errors and pages leaves the flag as it was, with one warning each."""
    flag = updater(HTTPSource(url))
    eventually(flag.is_on)
    for answer, words in (
        (Answer(503), "503"),
        (Answer(200, b"<html>"), "a page"),
        (Answer(200, b"{"), "not JSON"),
        (Answer(503), "503"),
    ):
        place.answer = answer
        eventually(lambda words=words: words in (flag.status().last_error or ""))
        assert flag.is_on()
    place.gives(b"true")
    eventually(lambda: flag.status().state == "READY")
    assert len(lines("WARNING")) == 3


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("flag.json", {}), ValueError, "url"),
        ((None, {}), TypeError, "url"),
        (("http://b.test/", {"long_poll": True}), ValueError, "long_poll"),
        (("http://b.test/", {"total": 0}), ValueError, "total"),
        (("http://b.test/", {"headers": {"A": "b\n"}}), ValueError, "headers"),
        (
            ("http://b.test/", {"headers": "A: b"}),
            TypeError,
            "headers must be a mapping .* not str",
        ),
        (("http://b.test/", {"verify": "/nowhere"}), ValueError, "verify"),
        (("http://b.test/", {"proxy": "socks5://p.test"}), ValueError, "proxy"),
    ],
)
def test_arguments(arguments, error, words):
    """An argument that cannot work is refused by its name."""
    url, options = arguments
    with pytest.raises(error, match=words):
        HTTPSource(url, **options)
