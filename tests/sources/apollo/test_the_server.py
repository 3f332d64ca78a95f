"""The server of these tests does what Apollo's does, its awkward parts included."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from urllib.parse import quote

import pytest
import requests


@pytest.fixture
def get(plain_session):
    """``get(node, path, …)``: the answer, as requests has it."""

    def ask(node, path, **headers):
        return plain_session.get(node.url + path, headers=headers, timeout=10)

    return ask


def poll(number, name="tracedclient.json", **more):
    asked = quote(json.dumps([{"namespaceName": name, "notificationId": number}]))
    extra = "".join(f"&{key}={value}" for key, value in more.items())
    return f"/notifications/v2?appId=orders&cluster=default&notifications={asked}{extra}"


CONFIGS = "/configs/orders/default/tracedclient.json"


def test_a_read_and_its_304(get, node, publish):
    """200 with all values and the release key; 304 without a body for that key."""
    release = publish("true")

    assert get(node, CONFIGS).json() == {
        "appId": "orders",
        "cluster": "default",
        "namespaceName": "tracedclient.json",
        "configurations": {"content": "true"},
        "releaseKey": release.key,
    }
    answer = get(node, f"{CONFIGS}?releaseKey={release.key}")
    assert (answer.status_code, answer.content) == (304, b"")


def test_nothing_released_is_404_without_a_reason(get, node):
    """The error has Spring Boot's fields, and since 2.3 no message."""
    answer = get(node, CONFIGS)

    assert answer.status_code == 404
    assert set(answer.json()) == {"timestamp", "status", "error", "path"}


def test_properties_suffix_and_case(get, node, publish):
    """The suffix is stripped, the case is normalised; the answer spells as the question did."""
    publish("1", namespace="Flags")

    assert get(node, "/configs/orders/default/fLAGS.properties").json()["namespaceName"] == (
        "fLAGS.properties"
    )
    told = get(node, poll(-1, "fLAGS.properties")).json()
    assert told[0]["namespaceName"] == "fLAGS"
    assert told[0]["messages"] == {"details": {"orders+default+Flags": 1}}


def test_an_unknown_namespace_is_held(get, start_node):
    """A poll for what does not exist is no error: 304 when its time is up."""
    node = start_node(hold=0.05)
    began = time.monotonic()

    assert get(node, poll(-1, "nothing")).status_code == 304
    assert time.monotonic() - began >= 0.05


def test_a_poll_that_is_behind_is_answered_at_once(get, node, publish):
    """Whoever says an older id, or -1, gets the newest."""
    for content in ("a", "b"):
        publish(content)

    assert [get(node, poll(n)).json()[0]["notificationId"] for n in (-1, 1)] == [2, 2]


def test_a_poll_without_a_list_is_400(get, node):
    """An empty or unreadable list of notifications is refused."""
    for value in ("[]", "x", "{}", ""):
        path = f"/notifications/v2?appId=orders&cluster=default&notifications={value}"
        assert get(node, path).status_code == 400


def test_no_app_is_400(get, node):
    """A request without an app has nobody whose keys could be asked for."""
    assert get(node, "/notifications/v2?cluster=default&notifications=x").status_code == 400


def test_signatures_are_over_the_raw_target(get, start_node, database, publish):
    """The bytes on the wire are signed, context path and escapes included; nothing else passes."""
    node = start_node(context="/apollo")
    publish("true")
    database.secrets["orders"] = ["old", "new"]

    def ask(signed_path, secret="new", late=0.0):
        now = str(int((time.time() - late) * 1000))
        digest = hmac.new(secret.encode(), f"{now}\n{signed_path}".encode(), hashlib.sha1).digest()
        authorization = f"Apollo orders:{base64.b64encode(digest).decode()}"
        path = f"{CONFIGS}?label=a%2Bb"
        return get(node, path, Authorization=authorization, Timestamp=now).status_code

    assert ask(f"/apollo{CONFIGS}?label=a%2Bb") == 200
    assert ask(f"/apollo{CONFIGS}?label=a%2Bb", secret="old") == 200
    assert ask(f"/apollo{CONFIGS}?label=a+b") == 401
    assert ask(f"{CONFIGS}?label=a%2Bb") == 401
    assert ask(f"/apollo{CONFIGS}?label=a%2Bb", secret="other") == 401
    assert ask(f"/apollo{CONFIGS}?label=a%2Bb", late=61) == 401
    assert ask(f"/apollo{CONFIGS}?label=a%2Bb", late=-61) == 401
    assert get(node, CONFIGS).status_code == 401


def test_incremental_answers(get, start_node, database):
    """A key that the server knows is answered with what changed, and no configurations."""
    node = start_node(incremental=True)
    place = ("orders", "default", "application")
    first = database.publish(*place, {"a": "1", "b": "1"})
    second = database.publish(*place, {"b": "2", "c": "1"})
    path = "/configs/orders/default/application?releaseKey="
    answer = get(node, path + first.key).json()

    assert "configurations" not in answer
    assert (answer["configSyncType"], answer["releaseKey"]) == ("IncrementalSync", second.key)
    assert answer["configurationChanges"] == [
        {"key": "c", "newValue": "1", "configurationChangeType": "ADDED"},
        {"key": "a", "configurationChangeType": "DELETED"},
        {"key": "b", "newValue": "2", "configurationChangeType": "MODIFIED"},
    ]
    assert "configurations" in get(node, f"{path}unknown").json()


def test_a_lagging_cache_needs_messages(get, start_node, publish):
    """A node that has not scanned answers from its cache, unless the client knows a newer id."""
    node = start_node(caching=True)
    publish("old")
    assert get(node, CONFIGS).json()["configurations"] == {"content": "old"}
    node.lagging = True
    publish("new")
    told = quote('{"details":{"orders+default+tracedclient.json":2}}')

    assert get(node, CONFIGS).json()["configurations"] == {"content": "old"}
    assert get(node, f"{CONFIGS}?messages={told}").json()["configurations"] == {"content": "new"}


def test_gray_releases(get, node, publish, database):
    """An address or label of the rule gets the branch; X-Forwarded-For counts, ip= wins."""
    publish("all")
    place = ("orders", "default", "tracedclient.json")
    database.publish_gray(*place, {"content": "few"}, ips=["10.0.0.7"], labels=["canary"])

    def content(query="", **headers):
        return get(node, CONFIGS + query, **headers).json()["configurations"]["content"]

    assert content() == "all"
    assert content("?ip=10.0.0.7") == "few"
    assert content("?label=canary") == "few"
    assert content(**{"X-Forwarded-For": "10.0.0.7, 10.1.1.1"}) == "few"
    assert content("?ip=10.0.0.8", **{"X-Forwarded-For": "10.0.0.7"}) == "all"


def test_batches(get, start_node, publish):
    """More polls than a batch are woken a tenth of a second apart."""
    node = start_node(batch=2)
    publish("a")
    woken = []

    def wait():
        requests.get(node.url + poll(1), timeout=10)
        woken.append(time.monotonic())

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    node.polls(5)
    publish("b")
    for thread in threads:
        thread.join()

    assert max(woken) - min(woken) >= 0.15


def test_the_cut_of_a_balancer(get, start_node):
    """A poll is cut with a page of the balancer's, or without a word."""
    assert get(start_node(cut=0.01), poll(-1)).status_code == 504
    with pytest.raises(requests.ConnectionError):
        get(start_node(cut=0.01, cut_with=None), poll(-1))


def test_a_fault_is_given_once(get, node, publish):
    """After the failures that were ordered, requests are answered again."""
    publish("a")
    node.fail_next("configs", 500)

    assert [get(node, CONFIGS).status_code for _ in range(2)] == [500, 200]


def test_cached_files(get, node, database):
    """/configfiles in its three forms."""
    database.publish("orders", "default", "application", {"a": "1"})
    database.publish("orders", "default", "x.json", {"content": "{}"})

    assert get(node, "/configfiles/json/orders/default/application").json() == {"a": "1"}
    assert get(node, "/configfiles/orders/default/application").text == "a=1\n"
    assert get(node, "/configfiles/raw/orders/default/x.json").text == "{}"
    assert get(node, "/configfiles/json/orders/default/none").status_code == 404


def test_the_meta_server(get, node):
    """It names its config services, with a slash at the end."""
    assert get(node, "/services/config").json()[0]["homepageUrl"] == f"{node.url}/"


def test_a_stop_drops_held_polls(node):
    """A server that dies takes its connections along, and comes back at the same port."""
    failed = []

    def wait():
        try:
            requests.get(node.url + poll(-1), timeout=10)
        except requests.ConnectionError as error:
            failed.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    node.polls()
    port = node.port
    node.stop()
    thread.join(10)

    assert len(failed) == 1
    assert node.start().port == port
