"""Long polls: a change is seen at once, none is lost, and nothing is asked in a loop."""

from __future__ import annotations

import time

import pytest

from tracedclient.debug import SourceError
from tracedclient.debug.source import Absent, Document, NotModified

NOTIFICATIONS = "notifications/v2"


def changed_while(flag, node, publish, content="false"):
    """The outcome of a poll that was held when ``content`` was released."""
    held = flag.begun()
    node.polls()
    publish(content)
    return held.result(10)


def test_a_release_ends_the_wait(flag, node, publish):
    """A held poll comes back with the new document as soon as it is released."""
    publish("true")
    flag.now()

    assert changed_while(flag, node, publish).body == b"false"


def test_what_was_released_before_the_first_poll_is_seen(flag, publish):
    """A release between the first read and the first poll is not missed."""
    publish("true")
    flag.now()
    release = publish("false")

    assert flag.now() == Document(b"false", release.key)


def test_one_fetch_both_learns_the_notification_and_waits(flag, node, publish):
    """The first poll says -1 and is answered at once; the same fetch then waits with the id."""
    publish("true")
    flag.now()
    changed_while(flag, node, publish)

    ids = [r.query("notifications") for r in node.asked(NOTIFICATIONS)]
    assert ['"notificationId":-1' in ids[0], '"notificationId":1' in ids[1]] == [True, True]


def test_nothing_released_is_waited_for(flag, node, publish):
    """A namespace that does not exist yet is polled, not asked for in a loop; then it is there."""
    flag.now()

    assert changed_while(flag, node, publish, "true").body == b"true"
    assert len(node.asked("configs")) == 2


def test_a_poll_without_news_leaves_all_as_it_is(fetching, start_node, publish):
    """304 after the server's own hold time: the document stays, with no other request."""
    node = start_node(hold=0.02)
    publish("true")
    flag = fetching(node)
    flag.now()

    assert [flag.refused(), flag.refused()] == [NotModified(), NotModified()]
    assert len(node.asked("configs")) == 2


def test_absence_is_looked_into_after_each_quiet_poll(fetching, start_node, database):
    """A namespace held as unknown is read after each poll: no notification need ever come."""
    node = start_node(hold=0.02)
    flag = fetching(node)
    flag.now()
    assert flag.refused() == Absent()
    release = database._release(
        "orders", "default", "tracedclient.json", {"content": "true"}, gray=False
    )

    assert flag.now() == Document(b"true", release.key)


def test_a_failed_read_after_a_notification_loses_nothing(flag, node, publish):
    """500 right after the notification: the next fetch is notified again, and brings the change."""
    publish("true")
    flag.now()
    held = flag.begun()
    node.polls()
    node.fail_next("configs", 500)
    release = publish("false")

    with pytest.raises(SourceError, match="answered 500 Internal Server Error"):
        held.result(10)
    assert flag.now() == Document(b"false", release.key)


def test_what_was_not_applied_is_notified_again(flag, node, publish):
    """A document that was fetched but never came into force is handed over again at once."""
    publish("true")
    flag.now()
    flag.refused(wait=0)
    release = publish("false")

    assert flag.refused() == Document(b"false", release.key)
    assert flag.now() == Document(b"false", release.key)


def test_what_comes_too_soon_is_handed_over_until_it_is_taken(flag, publish):
    """An updater that takes no change yet is offered it at each fetch, and at once."""
    publish("true")
    flag.now()
    release = publish("false")

    for _ in range(5):
        assert flag.refused() == Document(b"false", release.key)
        flag.later += 10
    assert flag.now() == Document(b"false", release.key)


def test_an_absence_that_comes_too_soon_is_told_until_it_is_taken(fetching, node, database):
    """So is the end of a document."""
    place = ("orders", "default", "application")
    database.publish(*place, {"tracedclient.trace": "true"})
    flag = fetching(node, namespace="application")
    flag.now()
    database.publish(*place, {})

    assert [flag.refused() for _ in range(3)] == [Absent()] * 3


def test_an_invalid_document_is_not_fetched_in_a_loop(flag, node, publish):
    """After a minute the source waits for the next release; it never calls it all well."""
    publish("true")
    flag.now()
    bad = publish("no JSON")
    offered = [flag.refused(), flag.refused()]
    flag.later += 60
    held = flag.begun()
    node.polls()
    reads = len(node.asked("configs"))
    good = publish("false")

    assert offered == [Document(b"no JSON", bad.key)] * 2
    assert held.result(10) == Document(b"false", good.key)
    assert len(node.asked("configs")) == reads + 1


def test_an_invalid_document_stays_invalid_after_a_quiet_poll(fetching, start_node, publish):
    """While nothing else is released it is handed over again: its error must not vanish."""
    node = start_node(hold=0.02)
    flag = fetching(node)
    bad = publish("no JSON")
    offered = [flag.refused() for _ in range(2)]
    flag.later += 60
    offered += [flag.refused() for _ in range(3)]

    assert offered == [Document(b"no JSON", bad.key)] * 5
    assert len(node.asked(NOTIFICATIONS)) >= 3


def test_a_node_that_is_behind_is_told(fetching, start_node, publish):
    """A caching node that has not heard of the release reads it anew, because of messages."""
    first, behind = start_node(caching=True), start_node(caching=True)
    publish("true")
    lagging = fetching(behind)
    lagging.now()
    flag = fetching([first, behind])
    flag.now()
    held = flag.begun()
    first.polls()
    behind.lagging = True
    first.fail_next("configs", 500)
    release = publish("false")

    assert held.result(10) == Document(b"false", release.key)
    assert lagging.anew() == Document(b"false", release.key)
    assert behind.asked("configs")[-2].query("messages") is not None


def test_the_caching_node_would_have_answered_with_old_news(fetching, start_node, publish):
    """The server of these tests does lag: without messages it gives the release before."""
    node = start_node(caching=True)
    publish("true")
    fetching(node).now()
    node.lagging = True
    publish("false")

    assert fetching(node).now().body == b"true"


def test_a_notification_for_others_is_dealt_with(fetching, node, publish, database):
    """A gray release to another pod is notified to all: nothing changes, and nobody loops."""
    publish("false")
    flag = fetching(node, ip="10.0.0.8")
    flag.now()
    held = flag.begun()
    node.polls()
    place = ("orders", "default", "tracedclient.json")
    database.publish_gray(*place, {"content": "true"}, ips=["10.0.0.7"])
    assert held.result(10) == NotModified()
    held = flag.begun()
    node.polls()
    publish('"next"')

    assert held.result(10).body == b'"next"'
    assert len(node.asked(NOTIFICATIONS)) == 3


def test_a_server_that_answers_every_poll_at_once(flag, node, publish):
    """However eager its notifications are, a fetch asks a few times and comes back."""
    publish("true")
    flag.now()
    for number in range(1, 9):
        node.database.messages["orders+default+tracedclient.json"] = number
        node._seen.update(node.database.messages)
        node._news = lambda keys, known: [
            {"namespaceName": "tracedclient.json", "notificationId": max(known.values()) + 1}
        ]
    before = len(node.journal)

    assert flag.refused() == NotModified()
    assert len(node.journal) - before == 4


@pytest.mark.parametrize("cut_with", [504, 502, None])
def test_a_poll_cut_by_a_proxy_is_no_failure(fetching, start_node, publish, cut_with):
    """A proxy that cuts polls before the server answers costs one cheap read; changes arrive."""
    node = start_node(cut=0.05, cut_with=cut_with)
    publish("true")
    flag = fetching(node)
    flag.now()
    flag.refused(wait=0.2)

    assert flag.refused(wait=0.2) == NotModified()
    assert node.asked("configs")[-1].query("releaseKey") is not None
    node.lagging = True
    release = publish("false")
    node.lagging = False
    assert flag._applied(flag.refused(wait=0.2)) == Document(b"false", release.key)


def test_the_end_of_our_own_wait_is_no_failure(fetching, node, publish):
    """A server that holds longer than we wait is asked with a read; it stays READY."""
    publish("true")
    flag = fetching(node, timeout=1.0)
    flag.now()

    assert flag.refused(wait=0.05) == NotModified()
    assert len(node.asked("configs")) == 3


def test_a_poll_cut_because_the_server_died_is_one(fetching, start_node, publish):
    """When the read after a cut poll fails too, that is told."""
    node = start_node()
    publish("true")
    flag = fetching(node)
    flag.now()
    held = flag.begun(wait=0.3)
    node.polls()
    time.sleep(0.1)
    node.stop()

    with pytest.raises(SourceError, match="refused"):
        held.result(10)


def test_failing_polls_are_told_but_hold_no_change_up(flag, node, publish):
    """Where only reads work, a change is seen by reading; without one, the failure is shown."""
    publish("true")
    flag.now()
    node.fail_next(NOTIFICATIONS, 403, times=2)

    with pytest.raises(SourceError, match="answered 403 Forbidden"):
        flag.now()
    release = publish("false")
    assert flag.now() == Document(b"false", release.key)


def test_failing_polls_are_not_forgotten_between_two(flag, node, publish):
    """After the failure the updater waits for nothing; the poll is tried all the same, so that
    the failure is not declared over by a read, and is over when polls work again."""
    publish("true")
    flag.now()
    node.fail_next(NOTIFICATIONS, 403, times=3)
    for wait in (30.0, 0.0, 0.0):
        with pytest.raises(SourceError, match="answered 403 Forbidden"):
            flag.refused(wait=wait)
    flag.begun(wait=0.0)
    node.polls()
    publish("false")


def test_a_poll_that_is_not_there_says_so(flag, node, publish):
    """A 404 for the poll is not a missing document, but a wrong address."""
    from sources.apollo_server.web import json_reply

    publish("true")
    flag.now()
    node.faults.append((NOTIFICATIONS, json_reply({"status": 404}, 404)))

    with pytest.raises(SourceError, match="has no /notifications/v2 there"):
        flag.now()


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'[{"namespaceName": "x"}]'])
def test_a_notification_that_is_none(flag, node, publish, body):
    """An unusable answer to a poll is told, and the release behind it is seen all the same."""
    from sources.apollo_server.web import Reply

    publish("true")
    flag.now()
    node.faults.append((NOTIFICATIONS, Reply(200, body)))
    with pytest.raises(SourceError, match="/notifications/v2"):
        flag.now()
    node.faults.append((NOTIFICATIONS, Reply(200, body)))
    publish("false")

    assert flag.now().body == b"false"


def test_ids_that_begin_again(flag, node, publish, database):
    """After a restore of Apollo's database, the regular reading makes polls work again."""
    for content in ('"a"', '"b"', "true"):
        publish(content)
    flag.now()
    held = flag.begun()
    node.polls()
    node.stop()
    with pytest.raises(SourceError):
        held.result(10)
    database.restore_messages()
    node.start()
    flag.anew()
    release = publish("false")

    assert flag.begun().result(10) == Document(b"false", release.key)


def test_cancelling_ends_a_poll(flag, node, publish):
    """A held poll ends soon after the updater does not want it any more."""
    publish("true")
    flag.now()
    held = flag.begun()
    node.polls()
    began = time.monotonic()
    flag.cancel.set()

    with pytest.raises(SourceError):
        held.result(10)
    assert time.monotonic() - began < 5


def test_a_restart_of_the_server_is_survived(flag, node, publish):
    """The server goes and comes back: failures meanwhile, then the document, then polls again."""
    publish("true")
    flag.now()
    node.stop()
    with pytest.raises(SourceError):
        flag.now()
    release = publish("false")
    node.start()

    assert flag.now() == Document(b"false", release.key)
    assert changed_while(flag, node, publish, "true").body == b"true"


def test_a_closed_source_remembers_nothing(flag, node, publish):
    """Used again after close(), it answers at once, as for the first time."""
    flag.now()
    flag.source.close()
    publish("true")

    assert flag.now().body == b"true"


def test_many_pods_are_woken_in_batches(fetching, start_node, publish):
    """A server that wakes its clients batch by batch reaches every one of them."""
    node = start_node(batch=2)
    publish("true")
    flags = [fetching(node) for _ in range(6)]
    held = []
    for flag in flags:
        flag.now()
        held.append(flag.begun())
    node.polls(6)
    publish("false")

    assert [each.result(10).body for each in held] == [b"false"] * 6
