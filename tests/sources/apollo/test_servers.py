"""Several config services: how they are found, which is asked, and what when one fails."""

from __future__ import annotations

import pytest
import servers

from tracedclient.debug import SourceError
from tracedclient.debug.source import Document, NotModified


def asked(nodes, part="configs"):
    return [len(node.asked(part)) for node in nodes]


def test_the_meta_server_names_the_config_services(fetching, start_node, publish):
    """With meta=, the config services are those it lists; it is asked once for a while."""
    meta, node = start_node(), start_node()
    meta.instances = [node.url]
    publish("true")
    flag = fetching([], config_service=(), meta=meta.url)
    flag.now()
    flag.anew()

    assert asked([meta, node]) == [0, 2]
    assert [r.target for r in meta.journal] == ["/services/config?appId=orders"]


def test_the_next_meta_server_is_asked(fetching, start_node, publish):
    """A meta server that is down is passed over."""
    down, meta = start_node(), start_node()
    down.stop()
    publish("true")
    flag = fetching([], config_service=(), meta=f"{down.url}, {meta.url}")

    assert flag.now().body == b"true"


@pytest.mark.parametrize(
    ("instances", "words"), [([], "knows no config service"), (["ftp://x"], "knows no config")]
)
def test_a_meta_server_without_config_services(fetching, node, instances, words):
    """An empty list is told as what it is."""
    node.instances = instances
    flag = fetching([], config_service=(), meta=node.url)

    with pytest.raises(SourceError, match=words):
        flag.now()


def test_no_meta_server_answers(fetching, node):
    """The error names the meta server, and the next fetch asks it again."""
    node.fail_next("services", 500)
    flag = fetching([], config_service=(), meta=node.url)

    with pytest.raises(SourceError, match=r"meta server: .* answered 500"):
        flag.now()
    assert flag.now() is not None


def test_the_last_list_is_used_while_the_meta_server_is_down(fetching, start_node, publish):
    """The config services known are asked on, whatever became of the meta server."""
    meta, node = start_node(), start_node()
    meta.instances = [node.url]
    publish("true")
    flag = fetching([], config_service=(), meta=meta.url)
    flag.now()
    meta.stop()
    flag.refused(wait=0)
    flag.later += 301

    assert flag.anew().body == b"true"


def test_a_new_list_replaces_the_old_one(fetching, start_node, publish):
    """A config service that the meta server no longer lists is not asked any more."""
    meta, old, new = start_node(), start_node(), start_node()
    meta.instances = [old.url]
    publish("true")
    flag = fetching([], config_service=(), meta=meta.url)
    flag.now()
    meta.instances = [new.url]
    flag.refused(wait=0)
    flag.later += 301
    flag.anew()

    assert asked([old, new]) == [2, 1]


def test_a_server_that_is_down_is_passed_over(fetching, start_node, publish):
    """Reads and polls go to the next one, and begin there from then on."""
    down, up = start_node(), start_node()
    down.stop()
    publish("true")
    flag = fetching([down, up])
    flag.now()
    held = flag.begun()
    up.polls()
    publish("false")

    assert held.result(10).body == b"false"
    assert flag.source._servers._known == [up.url, down.url]


def test_a_server_that_fails_is_passed_over(fetching, start_node, publish):
    """So does an answer of 503."""
    first, second = start_node(), start_node()
    first.fail_next("configs", 503)
    publish("true")

    assert fetching([first, second]).now().body == b"true"


def test_a_refusal_is_not_taken_elsewhere(fetching, start_node, publish):
    """A 4xx is the same everywhere: the other servers are spared."""
    first, second = start_node(), start_node()
    first.fail_next("configs", 400)
    flag = fetching([first, second])

    with pytest.raises(SourceError, match="400 Bad Request"):
        flag.now()
    assert asked([first, second]) == [1, 0]


def test_a_fetch_ends_however_many_servers_fail(fetching, start_node, publish):
    """At most three are tried; the next fetch begins with the others."""
    nodes = [start_node() for _ in range(5)]
    for node in nodes[:3]:
        node.fail_next("configs", 500)
    publish("true")
    flag = fetching(nodes)

    with pytest.raises(SourceError, match="answered 500"):
        flag.now()
    assert asked(nodes) == [1, 1, 1, 0, 0]
    assert flag.now().body == b"true"


def test_the_one_that_notified_is_read_from(fetching, start_node, publish):
    """The read after a notification goes to the server that sent it."""
    nodes = [start_node(), start_node()]
    publish("true")
    flag = fetching(nodes)
    flag.now()
    held = flag.begun()
    nodes[0].polls()
    publish("false")
    held.result(10)

    assert nodes[1].journal == []


def test_after_a_quiet_poll_another_server_gets_its_turn(fetching, start_node, publish):
    """Every other time, by lot, so that a server that came back is used again."""
    nodes = [start_node(hold=0.02), start_node(hold=0.02)]
    publish("true")
    lots = iter([0.1, 0.2, 0.4, 0.9, 0.1])
    flag = fetching(nodes, draw=lambda: next(lots))
    flag.now()
    quiet = [flag.refused() for _ in range(3)]

    assert quiet == [NotModified()] * 3
    # The first poll says -1 and is answered at once; the one after it is held.
    assert asked(nodes, "notifications") == [2, 2]


def test_the_order_at_the_start_is_by_lot(fetching, start_node, publish):
    """Processes do not all begin with the first server; nor do children with their parent's."""
    nodes = [start_node(), start_node()]
    publish("true")
    lots = iter([0.9, 0.1, 0.9, 0.1])
    flag = fetching(nodes, draw=lambda: next(lots))
    flag.now()
    assert asked(nodes) == [0, 1]
    flag.source.after_fork()
    flag.anew()

    assert asked(nodes) == [1, 1]


def test_the_lot_is_random_unless_told_otherwise(start_node, publish):
    """Among twenty sources, each of two servers is the first of some."""
    from tracedclient.debug import ApolloSource

    servers = ["http://a", "http://b"]
    firsts = {ApolloSource("o", config_service=servers)._servers._known[0] for _ in range(60)}

    assert firsts == set(servers)


def test_a_context_path_and_a_trailing_slash(fetching, start_node, publish):
    """A config service behind a path is asked there."""
    node = start_node(context="/apollo/config")
    publish("true")

    assert fetching([], config_service=f"{node.url}/").now().body == b"true"
    assert node.journal[0].target.startswith("/apollo/config/configs/orders/default/")


def test_the_notifying_server_dies_before_the_read(fetching, start_node, publish):
    """The change is read from the other server."""
    first, second = start_node(), start_node()
    publish("true")
    flag = fetching([first, second])
    flag.now()
    held = flag.begun()
    first.polls()
    first.fail_next("configs", 0, times=2)
    release = publish("false")

    assert held.result(10) == Document(b"false", release.key)
    assert second.asked("configs") != []


def test_no_route_to_the_config_service_leaves_the_address_out():
    """Where this host's address cannot be known, none is sent: the server takes the caller's."""
    from tracedclient.debug.sources.apollo.address import address_towards

    assert address_towards("http://no-such-host.invalid:8080") is None
    assert address_towards("http://127.0.0.1:9") == "127.0.0.1"


def test_through_a_proxy(fetching, node, publish, database, start):
    """By a proxy that alone knows the server's name: signed as the server sees it, with the address
    that this host has towards the proxy."""
    publish("true")
    database.secrets["orders"] = ["s3cret"]
    proxy = start(servers.forward_proxy(hosts={"apollo.internal": "127.0.0.1"}))
    flag = fetching(
        [],
        config_service=f"http://apollo.internal:{node.port}",
        proxy=proxy.url,
        access_key="s3cret",
    )

    assert flag.now().body == b"true"
    assert node.asked("configs")[0].query("ip") == "127.0.0.1"
