"""Whatever a server sends, a fetch ends in an answer or in ``SourceError``."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tracedclient.debug.sources.apollo.protocol import (
    Seen,
    Unusable,
    is_apollos_error,
    read_config,
    read_instances,
    read_notifications,
    value_after,
)

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    [
        "releaseKey",
        "configurations",
        "configSyncType",
        "configurationChanges",
        "namespaceName",
        "notificationId",
        "messages",
        "homepageUrl",
        "status",
    ]
)
_OBJECTS = st.dictionaries(_FIELDS, _VALUES, max_size=5)
BODIES = st.binary() | (_VALUES | _OBJECTS | st.lists(_OBJECTS, max_size=2)).map(
    lambda value: json.dumps(value).encode()
)


@given(BODIES)
def test_any_answer_to_a_read(body):
    """A value or ``Unusable``, and nothing else."""
    try:
        value = value_after(read_config(body), "content", "before")
    except Unusable:
        return
    assert value is None or isinstance(value, str)


@given(BODIES)
def test_any_answer_to_a_poll(body):
    """An id to go on from or ``Unusable``; what can be sent back to the server."""
    try:
        seen = read_notifications(body, Seen(3, {"a+b+c": 3}))
    except Unusable:
        return
    assert json.loads(seen.messages)["details"]["a+b+c"] >= 3


@given(BODIES)
def test_any_answer_of_a_meta_server(body):
    """A list of texts or ``Unusable``."""
    try:
        assert all(isinstance(each, str) for each in read_instances(body))
    except Unusable:
        return


@given(BODIES)
def test_any_error_page(body):
    """It is Apollo's own, or it is not."""
    assert is_apollos_error(body) in {True, False}


def test_an_older_notification_takes_nothing_back():
    """What one node has told is not forgotten for another that is behind."""
    seen = Seen(7, {"a+b+c": 7})
    older = b'[{"namespaceName":"c","notificationId":5,"messages":{"details":{"a+b+c":5}}}]'

    assert read_notifications(older, seen) == Seen(5, {"a+b+c": 7})
