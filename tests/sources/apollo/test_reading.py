"""What is read: which namespace, which key, which release."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tracedclient.debug import ApolloSource, SourceError
from tracedclient.debug.source import Absent, Document, NotModified

DOCUMENT = '{"schema": 1, "enabled": true, "until": 1795000000, "reason": "Überlast"}'


def test_the_content_of_a_json_namespace_is_the_document(flag, publish):
    """The document is what stands in the namespace, byte for byte, named by its release."""
    release = publish(DOCUMENT)

    assert flag.now() == Document(DOCUMENT.encode(), release.key)


def test_a_key_of_a_properties_namespace_is_the_document(fetching, node, database):
    """In a namespace of properties, the key tracedclient.trace holds it, or the one given."""
    values = {"tracedclient.trace": "true", "other": "false"}
    database.publish("orders", "default", "application", values)

    assert fetching(node, namespace="application").now().body == b"true"
    assert fetching(node, namespace="application.properties").now().body == b"true"
    assert fetching(node, namespace="application", key="other").now().body == b"false"


def test_nothing_released_is_absent(flag):
    """A namespace that does not exist, or was never released, is no document."""
    assert flag.now() == Absent()


def test_a_missing_key_is_absent(fetching, node, database):
    """A released namespace without the key is no document."""
    database.publish("orders", "default", "application", {"other": "1"})
    flag = fetching(node, namespace="application")

    assert [flag.now(), flag.refused(wait=0)] == [Absent(), Absent()]


def test_a_404_of_something_else_is_not_absent(flag, node, publish):
    """A 404 page of a proxy does not switch debug off: only Apollo can say that there is none."""
    publish("true")
    flag.now()
    node.fail_next("configs", 404)

    with pytest.raises(SourceError, match="answered 404 Not Found"):
        flag.anew()


def test_spelling_of_the_namespace_does_not_matter(fetching, node, publish):
    """Apollo takes a namespace in any case; so does the answer to its long poll."""
    publish("true", namespace="FX.tracedclient.json")
    flag = fetching(node, namespace="fx.TracedClient.json")
    flag.now()
    held = flag.begun()
    node.polls()
    release = publish("false", namespace="FX.tracedclient.json")

    assert held.result(10) == Document(b"false", release.key)


def test_names_are_percent_encoded(fetching, node, publish):
    """An app, cluster or namespace with a space or a letter that is not ASCII is found."""
    publish("true", cluster="Köln 1", namespace="a b.json")

    assert fetching(node, cluster="Köln 1", namespace="a b.json").now().body == b"true"
    assert f"/{quote('Köln 1')}/a%20b.json" in node.asked("configs")[-1].target


def test_the_cluster_is_searched_first_then_the_data_center_then_default(fetching, node, publish):
    """The value comes from the first of the three that has one."""
    publish('"default"')
    flag = fetching(node, cluster="blue", data_center="SHA")
    bodies = [flag.now().body]
    for cluster in ("SHA", "blue"):
        publish(f'"{cluster}"', cluster=cluster)
        bodies.append(flag.anew().body)

    assert bodies == [b'"default"', b'"SHA"', b'"blue"']


def test_own_values_win_over_the_public_namespace(fetching, node, database):
    """A public namespace is read with the app's own values over it, under both release keys."""
    database.create_namespace("platform", "flags", public=True)
    public = database.publish("platform", "default", "flags", {"tracedclient.trace": "false"})
    flag = fetching(node, namespace="flags")

    assert flag.now() == Document(b"false", public.key)

    held = flag.begun()
    node.polls()
    database.publish("platform", "default", "flags", {"tracedclient.trace": "true"})

    assert held.result(10).body == b"true"


def test_a_merged_release_key_is_sent_back_as_it_came(fetching, node, database):
    """Two releases make one key with a plus in it, which finds its way back unchanged: 304."""
    database.create_namespace("platform", "flags", public=True)
    public = database.publish("platform", "default", "flags", {"tracedclient.trace": "false"})
    database._namespaces.pop(("orders", "flags"), None)
    own = database._release("orders", "default", "flags", {"x": "1"}, gray=False)
    flag = fetching(node, namespace="flags")

    assert flag.now() == Document(b"false", f"{own.key}+{public.key}")
    assert flag.refused(wait=0) == NotModified()
    assert node.asked("configs")[-1].query("releaseKey") == f"{own.key}+{public.key}"
    assert "%2B" in node.asked("configs")[-1].target


def test_what_did_not_change_is_not_sent_again(flag, node, publish):
    """The release key goes out with the next read, and a 304 says that the document stays."""
    release = publish("true")
    flag.now()

    assert flag.refused(wait=0) == NotModified()
    assert node.asked("configs")[-1].query("releaseKey") == release.key


def test_without_a_previous_revision_all_is_asked_for(flag, node, publish):
    """The reading every five minutes names no release, and brings the document whatever else."""
    release = publish("true")
    flag.now()

    assert flag.anew() == Document(b"true", release.key)
    assert node.asked("configs")[-1].query("releaseKey") is None


def test_other_keys_of_the_namespace_do_not_make_a_new_revision(fetching, node, database):
    """A release that leaves our value alone changes nothing: a bare true is not prolonged."""
    place = ("orders", "default", "application")
    first = database.publish(*place, {"tracedclient.trace": "true", "n": "1"})
    flag = fetching(node, namespace="application")
    flag.now()
    database.publish(*place, {"tracedclient.trace": "true", "n": "2"})

    assert flag.refused(wait=0) == NotModified()
    assert flag.anew() == Document(b"true", first.key)


def test_a_rollback_is_a_change(flag, node, publish, database):
    """Going back to an earlier release brings its document under its own revision."""
    first = publish("true")
    publish("false")
    flag.now()
    held = flag.begun()
    node.polls()
    database.roll_back("orders", "default", "tracedclient.json")

    assert held.result(10) == Document(b"true", first.key)


@pytest.mark.parametrize("suffix", ["yaml", "yml", "txt"])
def test_json_in_a_namespace_of_another_format(fetching, node, publish, suffix):
    """JSON is YAML, and text: the same document may stand in such a namespace."""
    publish(DOCUMENT, namespace=f"flag.{suffix}")

    assert fetching(node, namespace=f"flag.{suffix}").now().body == DOCUMENT.encode()


def test_yaml_that_is_not_json_says_what_to_do(fetching, node, publish):
    """YAML in block style is refused with the advice to write JSON, until it is JSON."""
    publish("enabled: true\nuntil: 1795000000\n", namespace="flag.yaml")
    flag = fetching(node, namespace="flag.yaml")

    for _ in range(2):
        with pytest.raises(SourceError, match=r"flag\.yaml holds YAML that is not JSON; write"):
            flag.now()
    publish("true", namespace="flag.yaml")
    assert flag.now().body == b"true"


def test_an_oversized_value_is_cut_just_above_the_limit(flag, publish):
    """A value beyond 64 kB is handed over only so far that it is seen to be too long."""
    publish('"' + "x" * 100_000 + '"')

    assert len(flag.now().body) == 64 * 1024 + 1


def test_a_namespace_of_megabytes_around_the_flag(fetching, node, database):
    """Two megabytes of other values in the namespace do no harm."""
    others = {f"k{n}": "x" * 20_000 for n in range(100)}
    values = {**others, "tracedclient.trace": "true"}
    database.publish("orders", "default", "application", values)

    assert fetching(node, namespace="application").now().body == b"true"


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>sign in</html>", b"[]", b"null", b'{"configurations": {}}', b"\xff", b"[" * 9999],
)
def test_an_answer_that_is_not_apollos(flag, node, publish, body):
    """A captive portal's page with status 200 is an error that says so, and changes nothing."""
    from sources.apollo_server.web import Reply

    publish("true")
    flag.now()
    node.faults += [("configs", Reply(200, body))] * 2

    with pytest.raises(SourceError, match="the answer to /configs is not Apollo's"):
        flag.refused(wait=0)
    assert flag.anew().body == b"true"


def test_ip_and_label_choose_the_gray_release(fetching, node, publish, database):
    """A gray release reaches the pods of its addresses and labels, and no others."""
    publish("false")
    place = ("orders", "default", "tracedclient.json")
    database.publish_gray(*place, {"content": "true"}, ips=["10.0.0.7"], labels=["canary"])

    assert fetching(node, ip="10.0.0.7").now().body == b"true"
    assert fetching(node, label="canary", ip="10.0.0.9").now().body == b"true"
    assert fetching(node, ip="10.0.0.8").now().body == b"false"
    assert fetching(node).now().body == b"false"


def test_a_gray_release_is_pushed_and_taken_back(fetching, node, publish, database):
    """The pod chosen is notified of the gray release, and of its end."""
    publish("false")
    flag = fetching(node, ip="10.0.0.7")
    flag.now()
    held = flag.begun()
    node.polls()
    place = ("orders", "default", "tracedclient.json")
    database.publish_gray(*place, {"content": "true"}, ips=["10.0.0.7"])
    assert held.result(10).body == b"true"

    held = flag.begun()
    node.polls()
    database.end_gray()
    assert held.result(10).body == b"false"


def test_this_hosts_address_is_sent(flag, node, publish):
    """Without ip=, the address towards the config service is sent: the portal lists it."""
    publish("true")
    flag.now()
    flag.begun()
    node.polls()

    assert node.asked("configs")[0].query("ip") == "127.0.0.1"
    assert node.asked("notifications")[0].query("ip") == "127.0.0.1"
    assert node.database.fetched[0][0] == "127.0.0.1"


def test_incremental_answers_are_merged(fetching, start_node, database):
    """A server that tells only what changed is understood: modified, untouched, deleted, added."""
    node = start_node(incremental=True)
    place = ("orders", "default", "application")
    seen = []
    flag = fetching(node, namespace="application")
    database.publish(*place, {"tracedclient.trace": "true", "n": "1"})
    flag.now()
    for values in (
        {"tracedclient.trace": "false", "n": "1"},
        {"tracedclient.trace": "false", "n": "2"},
        {"n": "2"},
        {"tracedclient.trace": "true", "n": "2"},
    ):
        database.publish(*place, values)
        seen.append(flag._applied(flag.refused(wait=0)))

    assert [type(each) for each in seen] == [Document, NotModified, Absent, Document]
    assert len(node.asked("configs")) == 5
    assert [seen[0].body, seen[3].body] == [b"false", b"true"]


def test_an_unknown_kind_of_answer_is_asked_for_anew(flag, node, publish):
    """A configSyncType of the future costs one more request, without the release key."""
    from sources.apollo_server.web import json_reply

    publish("true")
    flag.now()
    release = publish("false")
    strange = {"releaseKey": release.key, "configSyncType": "Quantum", "quanta": []}
    node.faults.append(("configs", json_reply(strange)))

    assert flag.refused(wait=0) == Document(b"false", release.key)
    node.faults.append(("configs", json_reply(strange)))
    with pytest.raises(SourceError, match="configSyncType that is not known here: Quantum"):
        flag.anew()


def test_the_cached_files_are_not_asked(flag, node, publish):
    """/configfiles may be a second behind a notification; it is never used."""
    publish("true")
    flag.now()

    assert node.asked("configfiles") == []


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, ValueError, "pass meta=, or config_service="),
        ({"meta": "http://m", "config_service": "http://c"}, ValueError, "and not both"),
        ({"meta": "m:8080"}, ValueError, "meta must begin with http"),
        ({"config_service": "http://c?x"}, ValueError, "config_service must have no query"),
        ({"meta": 1}, TypeError, "meta must be a str or a list"),
        ({"meta": "http://m", "namespace": "x.xml"}, ValueError, "namespace must not be of XML"),
        ({"meta": "http://m", "namespace": ""}, ValueError, "namespace must be printable"),
        ({"meta": "http://m", "cluster": 1}, TypeError, "cluster must be a str"),
        ({"meta": "http://m", "key": "k"}, ValueError, "key must not be given"),
        ({"meta": "http://m", "access_key": b"s"}, TypeError, "access_key must be a str"),
        ({"meta": "http://m", "ip": ""}, ValueError, "ip must be"),
        ({"meta": "http://m", "timeout": 0}, ValueError, "timeout must be above 0"),
    ],
)
def test_arguments_that_cannot_work(options, error, words):
    """They are refused when the source is made, by name."""
    with pytest.raises(error, match=words):
        ApolloSource("orders", **options)


def test_the_name_tells_the_place_and_no_secret():
    """The name for logs is the place in Apollo."""
    source = ApolloSource("orders", meta="http://u:secret@m", access_key="df23", namespace="a")

    assert str(source) == "apollo:orders/default/a/tracedclient.trace"
    assert "secret" not in repr(vars(source)["name"])
    assert ApolloSource("o", meta="http://m").name == "apollo:o/default/tracedclient.json"


def test_messages_are_compact_json(flag, node, publish):
    """After a notification, the read names it in the form that the server parses."""
    publish("true")
    flag.now()
    held = flag.begun()
    node.polls()
    publish("false")
    held.result(10)

    told = json.loads(node.asked("configs")[-1].query("messages"))
    assert told == {"details": {"orders+default+tracedclient.json": 2}}
