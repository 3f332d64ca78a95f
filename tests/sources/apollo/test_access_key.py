"""Access keys: what is signed, and what a refusal says."""

from __future__ import annotations

import pytest

from tracedclient.debug import SourceError
from tracedclient.debug.sources.apollo.refusals import seconds_ahead
from tracedclient.debug.sources.apollo.signature import signature, signed

SECRET = "df23df3f59884980844ff3dada30fa97"


def test_the_golden_vector():
    """The signature is the one of Apollo's own SignatureTest."""
    path = "/configs/100004458/default/application?ip=10.0.0.1"

    assert signature(SECRET, "1576478257344", path) == "EoKyziXvKqzHgwx+ijDJwgVTDgE="
    assert signed("100004458", SECRET, path, 1576478257.344) == {
        "Authorization": "Apollo 100004458:EoKyziXvKqzHgwx+ijDJwgVTDgE=",
        "Timestamp": "1576478257344",
    }


@pytest.mark.parametrize("context", ["", "/apollo", "/a%20b/c"])
def test_reads_and_polls_are_signed(fetching, start_node, publish, database, context):
    """What is signed is what goes out: a context path, blanks and letters beyond ASCII included."""
    node = start_node(context=context)
    database.secrets["orders"] = [SECRET]
    publish("true", namespace="ä b.json", cluster="Köln")
    flag = fetching(node, access_key=SECRET, namespace="ä b.json", cluster="Köln", label="a&b=c+d")
    flag.now()
    held = flag.begun()
    node.polls()
    publish("false", namespace="ä b.json", cluster="Köln")

    assert held.result(10).body == b"false"


def test_two_keys_are_live_while_one_replaces_the_other(fetching, node, publish, database):
    """During a rotation, the old and the new secret both open."""
    publish("true")
    database.secrets["orders"] = ["new", "old"]

    assert fetching(node, access_key="old").now().body == b"true"
    assert fetching(node, access_key="new").now().body == b"true"


def test_without_a_key_nothing_is_signed(flag, node, publish):
    """An app without access keys sends neither signature nor time."""
    publish("true")
    flag.now()

    assert {"authorization", "timestamp"} & set(node.journal[0].headers) == set()


def test_a_missing_key_is_told(flag, publish, database):
    """401 without a key given: the app has one."""
    publish("true")
    database.secrets["orders"] = [SECRET]

    with pytest.raises(SourceError, match=r"401 Unauthorized: the app has an access key; pass"):
        flag.now()


@pytest.mark.parametrize("shown", [True, False])
def test_a_wrong_key_is_told(fetching, start_node, publish, database, shown):
    """401 with the clock right: the key, or a proxy; and the clock is cleared of it."""
    node = start_node(messages_shown=shown)
    publish("true")
    database.secrets["orders"] = [SECRET]

    with pytest.raises(SourceError, match=r"the access key is wrong .* clock is not to blame") as e:
        fetching(node, access_key="wr0ng-key").now()
    assert "wr0ng-key" not in str(e.value)


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize(
    ("offset", "words"),
    [(-75.0, "7[3456] s ahead of the server's"), (90, "(8[89]|90) s behind the server's")],
)
def test_a_skewed_clock_is_told_with_its_skew(
    fetching, start_node, publish, database, offset, words, shown
):
    """401 with the clock wrong: by how much, from the Date of the answer, whatever its text."""
    node = start_node(clock_offset=offset, messages_shown=shown)
    publish("true")
    database.secrets["orders"] = [SECRET]

    with pytest.raises(SourceError, match=f"this machine's clock is {words}"):
        fetching(node, access_key=SECRET).now()


def test_after_the_clock_is_set_right_all_is_well(fetching, start_node, publish, database):
    """A refusal is not final: the next fetch is signed with the time that it then is."""
    node = start_node(clock_offset=-75.0)
    publish("true")
    database.secrets["orders"] = [SECRET]
    flag = fetching(node, access_key=SECRET)
    with pytest.raises(SourceError):
        flag.now()
    node.clock_offset = 0.0

    assert flag.now().body == b"true"


def test_no_date_no_skew():
    """Without a Date, or with nonsense there, no skew is made up."""
    assert seconds_ahead({}, 0.0) is None
    assert seconds_ahead({"Date": "yesterday"}, 0.0) is None
    assert seconds_ahead({"Date": "Thu, 01 Jan 1970 00:01:00 GMT"}, 75.0) == 15.0


def test_the_meta_server_is_not_signed_to(fetching, node, publish, database):
    """The meta server has no keys; the secret's signature does not go there."""
    publish("true")
    database.secrets["orders"] = [SECRET]
    fetching([], config_service=(), meta=node.url, access_key=SECRET).now()

    assert "authorization" not in node.asked("services")[0].headers
