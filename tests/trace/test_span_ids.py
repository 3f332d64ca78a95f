"""W3C ids for traces that may have others, and the ids of their spans."""

from __future__ import annotations

import pytest
from made_traces import attempt, exchange, result

from tracedclient.trace.b3 import is_span_id
from tracedclient.trace.span_ids import SpanIds, w3c_trace_id

W3C = "4bf92f3577b34da6a3ce929d0e0e4736"
SENT, PARENT = "00f067aa0ba902b7", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (W3C, W3C),
        (W3C.upper(), W3C),
        ("4bf92f35-77b3-4da6-a3ce-929d0e0e4736", W3C),
        ("a3ce929d0e0e4736", "0000000000000000a3ce929d0e0e4736"),
    ],
)
def test_an_id_of_hex_digits_stays(given, made):
    """W3C's ids, UUIDs and B3's short ids are the same id afterwards."""
    assert w3c_trace_id(given) == made


@pytest.mark.parametrize("given", ["order-17", "0" * 32, "", "a3ce", W3C + "00"])
def test_any_other_id_becomes_one(given):
    """Whatever else is an id becomes 32 hex digits, always the same, and never all zero."""
    made = w3c_trace_id(given)
    assert len(bytes.fromhex(made)) == 16
    assert set(made) != {"0"}
    assert made == w3c_trace_id(given) != w3c_trace_id(given + "x")


def test_a_request_keeps_the_id_that_it_was_sent_with():
    """What a server knows as its parent is the exchange's id; the call has another."""
    ids = SpanIds(result(attempt(exchange(span_id=SENT)), parent_span_id=PARENT))
    assert (ids.parent, ids.of(1, 0)) == (PARENT, SENT)
    assert len({ids.of(), ids.of(1), SENT, PARENT}) == 4


@pytest.mark.parametrize("bad", ["", "0" * 16, "F067AA0BA902B7AA", SENT + "00", "\n" + SENT[1:]])
def test_an_id_that_is_none_is_replaced(bad):
    """What is no span id, as a foreign record may have it, is not taken for one."""
    ids = SpanIds(result(attempt(exchange(span_id=bad)), parent_span_id=bad))
    assert ids.parent is None
    assert is_span_id(ids.of(1, 0))


def test_no_two_spans_have_one_id():
    """A traceparent of the caller's own goes out with every attempt; only one of them has its id."""
    twice = (exchange(span_id=SENT), exchange(span_id=SENT), exchange(span_id=PARENT))
    ids = SpanIds(result(attempt(*twice), parent_span_id=PARENT))
    found = {ids.of(1, hop) for hop in range(3)}
    assert len(found) == 3
    assert PARENT not in found
