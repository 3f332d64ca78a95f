"""Trace ids: which come in, which are made, and how they travel."""

from __future__ import annotations

import random
import re
import string
import subprocess
import sys
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.trace.context import TraceContext, new_trace
from tracedclient.trace.formats import Traceparent
from tracedclient.trace.ids import (
    is_w3c_trace_id,
    new_span_id,
    new_trace_id,
    validate_trace_id,
)

ALLOWED = string.ascii_letters + string.digits + "._:/+=@-"
W3C = "4bf92f3577b34da6a3ce929d0e0e4736"
# Mostly characters that are allowed, or nearly: a test of random Unicode alone would accept nothing.
NEARLY_IDS = st.text(st.sampled_from(ALLOWED + "\n\r\t\0 éٱ\u2028"), max_size=140)


@given(st.text(max_size=200) | NEARLY_IDS)
def test_what_is_accepted_can_forge_nothing(text):
    """An accepted id is 1 to 128 of the allowed characters, unchanged; all else is a ValueError."""
    good = 1 <= len(text) <= 128 and set(text) <= set(ALLOWED)
    if good:
        assert validate_trace_id(text) == text
    else:
        with pytest.raises(ValueError, match="trace_id must"):
            validate_trace_id(text)


@pytest.mark.parametrize(
    "trace_id",
    [
        W3C,
        str(uuid.UUID(W3C)),
        "463ac35c9f6413ad",
        "1-5759e988-bd862e3fe1be46a994272793",
        f"00-{W3C}-00f067aa0ba902b7-01",
        "order/42@eu:7+a=b_c.d",
        ALLOWED,
        "x" * 128,
    ],
    ids=["w3c", "uuid", "b3", "x-ray", "traceparent", "own", "every character", "longest"],
)
def test_ids_in_use_are_accepted(trace_id):
    """The ids of all common tracing systems pass as they are."""
    assert validate_trace_id(trace_id) == trace_id


@pytest.mark.parametrize(
    ("trace_id", "says"),
    [
        ("", "must not be empty; pass None"),
        ("x" * 129, "at most 128 characters, not 129"),
        ("\n" * 128, r"the character at 0 is U\+000A"),
        (f"{W3C}\n", r"the character at 32 is U\+000A"),
        ("a\r\nX-Admin: 1", r"the character at 1 is U\+000D"),
        ("naïve", r"the character at 2 is U\+00EF"),
    ],
)
def test_refusal_says_what_is_wrong(trace_id, says):
    """The error says what is wrong, and where, without quoting what may be a forged line."""
    with pytest.raises(ValueError, match=says) as caught:
        validate_trace_id(trace_id)
    assert "\n" not in str(caught.value)
    assert not trace_id or trace_id not in str(caught.value)


@pytest.mark.parametrize("trace_id", [None, 7, W3C.encode(), ["a"]])
def test_only_text_is_an_id(trace_id):
    """Anything but a str is a TypeError that names its type."""
    with pytest.raises(TypeError, match=f"not {type(trace_id).__name__}"):
        validate_trace_id(trace_id)


def test_made_ids_are_w3c_ids():
    """Made ids are lower-case hex of W3C's lengths, valid here, and no two are the same."""
    made = {new_trace_id() for _ in range(200)}
    assert len(made) == 200
    assert all(re.fullmatch("[0-9a-f]{32}", trace_id) for trace_id in map(validate_trace_id, made))
    spans = {new_span_id() for _ in range(200)}
    assert len(spans) == 200
    assert all(re.fullmatch("[0-9a-f]{16}", span) for span in spans)


def test_a_forked_child_makes_other_ids():
    """A forked child does not repeat its parent's ids, nor those of its siblings."""
    script = (
        "import os, sys\n"
        "from tracedclient.trace.ids import new_span_id\n"
        "new_span_id()\n"
        "children = [os.fork() for _ in range(2)]\n"
        "os.write(1, f'{new_span_id()}\\n'.encode())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stderr == ""
    assert len(set(ran.stdout.split())) == 4


def test_a_seeded_random_module_does_not_repeat_ids():
    """An application that seeds ``random`` with a constant gets other ids all the same."""
    made = []
    for _ in range(2):
        random.seed(42)
        made += [new_trace_id(), new_span_id()]
    assert len(set(made)) == 4


def test_a_new_trace_travels_as_any_with_such_an_id():
    """What is not looked at again, of a trace that begins here, would be found to be good."""
    for _ in range(100):
        new = new_trace()
        assert is_w3c_trace_id(new.trace_id)
        assert new == TraceContext(new.trace_id, random=True)
        for sampled in (None, False, True):
            fields = Traceparent().fields(new, sampled=sampled)
            assert fields == Traceparent().fields(TraceContext(*new), sampled=sampled) != ()
