"""The short way from two looks at a connection to what happened between them: the long one's facts."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedclient.transport.counted import between, look
from tracedclient.transport.kernel import difference, parse_tcp_info

FIELDS = "=B67xI28xI16xQQII4xIII"
SIZE = struct.calcsize(FIELDS)

SMALL, COUNT = st.integers(0, 3), st.integers(0, 2**32 - 1)
LOOK = st.builds(
    lambda fields, length, rest: (struct.pack(FIELDS, *fields) + rest)[:length],
    st.tuples(
        st.sampled_from([1, 1, 1, 1, 4, 5, 7, 8, 8, 11, 200]),
        st.one_of(SMALL, COUNT),
        SMALL,
        st.one_of(SMALL, st.integers(0, 2**64 - 1)),
        st.one_of(SMALL, st.integers(0, 2**64 - 1)),
        *[st.one_of(SMALL, COUNT)] * 2,
        st.one_of(COUNT, st.just(0xFFFFFFFF)),
        *[st.one_of(SMALL, COUNT)] * 2,
    ),
    st.sampled_from([1, 104, 120, 148, SIZE - 1, SIZE, SIZE + 72]),
    st.just(bytes(72)),
)


@settings(max_examples=1500, deadline=None)
@given(LOOK, LOOK)
def test_any_two_looks_give_what_the_long_way_gives(before, after):
    """Whatever a kernel may say, old, new or odd, the facts are those of ``kernel.difference``."""
    assert between(before, after) == difference(parse_tcp_info(before), parse_tcp_info(after))


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.integers(1, 2**30), min_size=8, max_size=8),
    st.lists(st.integers(0, 2**30), min_size=8, max_size=8),
    st.integers(1, 2**31),
    st.integers(0, 2**31),
    st.sampled_from([1, 8]),
)
def test_an_open_connection_gives_what_the_long_way_gives(first, more, rtt, floor, state):
    """The same where all is well, closed by the peer or not, and every figure is in the record."""

    def seen(counters, state=1):
        retrans, acked, got, out, in_, data_in, data_out, _ = counters
        got += state == 8
        rows = (state, rtt, retrans, acked, got, out, in_, floor, data_in, data_out)
        return struct.pack(FIELDS, *rows) + bytes(72)

    before, after = seen(first), seen([a + b for a, b in zip(first, more, strict=True)], state)
    found = between(before, after)
    assert found == difference(parse_tcp_info(before), parse_tcp_info(after))
    assert None not in (found.rtt_ms, found.retransmits, found.bytes_acked, found.bytes_received)


@pytest.mark.parametrize("sock", [None, object()])
def test_what_is_no_socket_has_nothing_to_see(sock):
    """A look at what is closed, or no TCP socket at all, is ``None``."""
    assert look(sock) is None
