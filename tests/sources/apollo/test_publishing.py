"""``ApolloPublisher``: what it sends, and what it says when it is not done."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing

import pytest

from sources.apollo_server import Portal
from tracedclient.debug.sources.apollo.openapi import ApolloPublisher, PublishError

TOKEN = "t0ken"


@pytest.fixture
def portal(database):
    """A portal with two namespaces of ``orders``."""
    with Portal(database, tokens={TOKEN: {"orders"}, "reader": set()}) as one:
        one.create_namespace("orders", "default", "tracedclient.json")
        one.create_namespace("orders", "default", "shared")
        yield one


@pytest.fixture
def publisher(portal):
    """``publisher(**options)``: closed at the end."""
    with ExitStack() as stack:

        def make(token=TOKEN, **options):
            options = {"app_id": "orders", "env": "DEV", "operator": "apollo", **options}
            return stack.enter_context(closing(ApolloPublisher(portal.url, token, **options)))

        yield make


def test_a_document_is_put_and_released(publisher, portal, database):
    """One item of the namespace is created or changed, and the namespace released."""
    publisher().publish(b"true", reason="INC-4711")
    publisher().publish("false")

    assert database.latest("orders", "default", "tracedclient.json").configurations == {
        "content": "false"
    }
    release = json.loads(portal.asked("releases")[0].body)
    assert release["releaseComment"] == "INC-4711"
    assert [r.method for r in portal.journal] == ["PUT", "POST"] * 2


def test_a_key_among_others(publisher, portal, database):
    """Other released keys of the namespace stay as they are."""
    place = ("orders", "default", "shared")
    portal.items[place] = {"other": "1", "": "# a comment"}
    database.publish(*place, {"other": "1"})
    publisher(namespace="shared.properties").publish("true")

    released = database.latest(*place).configurations
    assert released == {"other": "1", "tracedclient.trace": "true"}


def test_what_is_released_can_be_read(publisher, portal):
    """The value is that of the last release, not of a draft; before the first one there is none."""
    flag = publisher()
    assert flag.released() is None
    flag.publish("false")
    portal.items["orders", "default", "tracedclient.json"] = {"content": "half done"}

    assert flag.released() == "false"
    assert flag.name == "apollo:DEV/orders/default/tracedclient.json"


@pytest.mark.parametrize(
    ("drafts", "released", "named"),
    [({"x": "2"}, {"x": "1"}, "x"), ({"x": "1"}, {}, "x"), ({}, {"x": "1", "y": "1"}, "x, y")],
)
def test_drafts_of_others_stop_it(publisher, portal, database, drafts, released, named):
    """A changed, added or deleted item that waits would be released along: nothing is done."""
    place = ("orders", "default", "shared")
    portal.items[place] = drafts
    database.publish(*place, released)

    with pytest.raises(PublishError, match=f"would be released along: {named}; release or revert"):
        publisher(namespace="shared").publish("true")
    assert portal.asked("items") == []
    assert database.latest(*place).configurations == released


def test_our_own_draft_does_not_stop_it(publisher, portal, database):
    """What waits to be released of the flag itself is replaced."""
    portal.items["orders", "default", "shared"] = {"tracedclient.trace": "half done"}
    publisher(namespace="shared").publish("true")

    released = database.latest("orders", "default", "shared").configurations
    assert released == {"tracedclient.trace": "true"}


def test_a_failed_release_says_how_far_it_came(publisher, portal):
    """The item is changed but not released: the next one must know."""
    portal.users.add("alice")
    flag = publisher(operator="alice")
    flag._put("true")
    portal.users.discard("alice")

    with pytest.raises(PublishError, match=r"the item is changed, but not released: POST .* 400"):
        flag._release("")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": "reader"}, "answered 403 Forbidden: Access is denied"),
        ({"token": "other"}, "answered 401 Unauthorized"),
        ({"operator": "bob"}, "answered 400 Bad Request: user not exists: bob"),
        ({"env": "PRO"}, "answered 404 Not Found: namespace not found"),
    ],
)
def test_refusals(publisher, options, words):
    """The portal's own words are in the error; the token is not."""
    with pytest.raises(PublishError, match=words) as raised:
        publisher(**options).publish("true")
    assert options.get("token", TOKEN) not in str(raised.value)


def test_an_error_page_and_silence(publisher, portal):
    """An error of a proxy, and no answer at all, are errors that name the request."""
    portal.faults = [502]
    with pytest.raises(PublishError, match=r"PUT http://.* answered 502 Bad Gateway$"):
        publisher().publish("true")
    flag = publisher()
    portal.stop()
    with pytest.raises(PublishError, match=r"PUT /openapi/.*: .*refused"):
        flag.publish("true")


def test_a_page_instead_of_the_namespace(publisher, portal):
    """A log-in page with status 200 is not taken for an empty namespace."""
    portal.faults = [200]

    with pytest.raises(PublishError, match="is not the portal's"):
        publisher(namespace="shared").publish("true")


def test_too_long(publisher, portal):
    """Beyond 20,000 characters Apollo would refuse: it is not even asked."""
    with pytest.raises(ValueError, match="at most 20000 characters: 20001"):
        publisher().publish("x" * 20_001)
    assert portal.journal == []


def test_names_are_percent_encoded(publisher, portal, database):
    """A key and a cluster with blanks and slashes reach the portal whole."""
    portal.create_namespace("orders", "Köln 1", "shared")
    publisher(namespace="shared", cluster="Köln 1", key="a b?c").publish("true")

    released = database.latest("orders", "Köln 1", "shared").configurations
    assert released == {"a b?c": "true"}


@pytest.mark.parametrize(
    ("options", "error"),
    [({"namespace": "x.xml"}, ValueError), ({"app_id": ""}, ValueError), ({"env": 1}, TypeError)],
)
def test_arguments_that_cannot_work(options, error):
    """They are refused when the publisher is made."""
    options = {"app_id": "orders", "env": "DEV", "operator": "apollo", **options}
    with pytest.raises(error):
        ApolloPublisher("http://portal", TOKEN, **options)
