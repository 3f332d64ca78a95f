"""W3C ids for traces that may have others."""

from __future__ import annotations

import pytest

from tracedclient.cli.convert.ids import w3c_trace_id

W3C = "4bf92f3577b34da6a3ce929d0e0e4736"


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
