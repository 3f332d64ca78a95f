"""W3C's own cases for trace-context (w3c/trace-context, test/test.py, levels 1 and 2): what a service
that gets these headers sends on. Each by WSGI and by ASGI.
"""

from __future__ import annotations

import re

import pytest

from tracedclient import HTTPClient

TRACE = "12345678901234567890123456789012"
SPAN = "1234567890123456"
GOOD = f"00-{TRACE}-{SPAN}-01"
OTHER = "12345678901234567890123456789011"


@pytest.fixture
def sent_on(serve, echo_server):
    """``sent_on(headers)``: ``traceparent``, in parts, and ``tracestate`` of the call it leads to."""
    with HTTPClient() as client:

        def through(headers, calls=1):
            def work():
                for _ in range(calls):
                    client.get(echo_server.url)

            serve(work, headers)
            heads = [request.headers for request in echo_server.requests[-calls:]]
            parts = [
                re.fullmatch("00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", h.get("traceparent"))
                for h in heads
            ]
            return [(*p.groups(), h.get("tracestate")) for p, h in zip(parts, heads, strict=True)]

        yield through


def test_nothing_received(sent_on):
    """Without either header a valid one goes out, whose id is random and says so."""
    ((trace, _, flags, state),) = sent_on([])
    assert trace != "0" * 32
    assert flags == "02"
    assert state is None


def test_traceparent_without_tracestate(sent_on):
    """The trace id is kept, the span id is another."""
    ((trace, span, flags, state),) = sent_on([("traceparent", GOOD)])
    assert (trace, flags, state) == (TRACE, "01", None)
    assert span != SPAN


@pytest.mark.parametrize("name", ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"])
def test_case_of_the_name_does_not_matter(sent_on, name):
    """A header's name has no case."""
    ((trace, *_),) = sent_on([(name, GOOD)])
    assert trace == TRACE


KEPT = {
    "version cc": f"cc-{TRACE}-{SPAN}-01",
    "version cc, and more": f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like",
    "space before": f" {GOOD}",
    "tab before": f"\t{GOOD}",
    "space after": f"{GOOD} ",
    "tab after": f"{GOOD}\t",
    "blanks around": f"\t {GOOD} \t",
}


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_trace_is_continued(sent_on, value):
    """A later version is read as far as it is known, and sent on as version 00; blanks are none."""
    ((trace, span, _, _),) = sent_on([("traceparent", value)])
    assert trace == TRACE
    assert span != SPAN


REFUSED = {
    "00 with a dot after": f"{GOOD}.",
    "00 and more": f"{GOOD}-what-the-future-will-be-like",
    "cc, and more without a dash": f"cc-{TRACE}-{SPAN}-01.what-the-future-will-be-like",
    "version ff": f"ff-{TRACE}-{SPAN}-01",
    "version .0": f".0-{TRACE}-{SPAN}-01",
    "version 0.": f"0.-{TRACE}-{SPAN}-01",
    "version 000": f"000-{TRACE}-{SPAN}-01",
    "version 0000": f"0000-{TRACE}-{SPAN}-01",
    "version 0": f"0-{TRACE}-{SPAN}-01",
    "trace id of zeros": f"00-{'0' * 32}-{SPAN}-01",
    "trace id, bad first": f"00-.{TRACE[1:]}-{SPAN}-01",
    "trace id, bad last": f"00-{TRACE[:-1]}.-{SPAN}-01",
    "trace id too long": f"00-{TRACE}3-{SPAN}-01",
    "trace id too short": f"00-{TRACE[:-1]}-{SPAN}-01",
    "trace id in upper case": f"00-{'AB' * 16}-{SPAN}-01",
    "parent id of zeros": f"00-{TRACE}-{'0' * 16}-01",
    "parent id, bad first": f"00-{TRACE}-.{SPAN[1:]}-01",
    "parent id, bad last": f"00-{TRACE}-{SPAN[:-1]}.-01",
    "parent id too long": f"00-{TRACE}-{SPAN}7-01",
    "parent id too short": f"00-{TRACE}-{SPAN[:-1]}-01",
    "flags, bad first": f"00-{TRACE}-{SPAN}-.0",
    "flags, bad last": f"00-{TRACE}-{SPAN}-0.",
    "flags too long": f"00-{TRACE}-{SPAN}-001",
    "flags too short": f"00-{TRACE}-{SPAN}-1",
    "empty": "",
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_trace_is_begun_anew(sent_on, value):
    """One that is not well-formed is not believed in any part, its tracestate included."""
    ((trace, _, _, state),) = sent_on([("traceparent", value), ("tracestate", "foo=1")])
    assert trace not in {"0" * 32, TRACE, TRACE[:-1], f"{TRACE}3", "ab" * 16}
    assert state is None


@pytest.mark.parametrize("name", ["trace-parent", "trace.parent"])
def test_other_names_are_not_traceparent(sent_on, name):
    """What is only called alike does not count."""
    ((trace, *_),) = sent_on([(name, GOOD)])
    assert trace != TRACE


def test_traceparent_twice(sent_on):
    """Of two nobody knows which is forged: both are ignored."""
    ((trace, *_),) = sent_on([("traceparent", f"00-{OTHER}-{SPAN}-01"), ("traceparent", GOOD)])
    assert trace not in {TRACE, OTHER}


def state(*values):
    return [("traceparent", f"00-{TRACE}-{SPAN}-00"), *(("tracestate", value) for value in values)]


def test_tracestate_without_traceparent_is_dropped(sent_on):
    """It belongs to a parent; there is none."""
    assert sent_on([("tracestate", "foo=1,bar=2")])[0][3] is None


@pytest.mark.parametrize("name", ["trace-state", "trace.state"])
def test_other_names_are_not_tracestate(sent_on, name):
    """What is only called alike does not count."""
    assert sent_on([("traceparent", GOOD), (name, "foo=1")])[0][3] is None


@pytest.mark.parametrize("name", ["TraceState", "TrAcEsTaTe", "TRACESTATE"])
def test_case_of_tracestates_name_does_not_matter(sent_on, name):
    """A header's name has no case."""
    assert sent_on([("traceparent", GOOD), (name, "foo=1")])[0][3] == "foo=1"


VALUE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in ",=")
KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
BARS = [f"bar{n:02}={n:02}" for n in range(1, 34)]
LONG = "z" * 256
PASSED = {
    "one": (["foo=1,bar=2"], "foo=1,bar=2"),
    "several fields": (
        ["foo=1,bar=2", "rojo=1,congo=2", "baz=3"],
        "foo=1,bar=2,rojo=1,congo=2,baz=3",
    ),
    "then an empty one": (["foo=1", ""], "foo=1"),
    "after an empty one": (["", "foo=1"], "foo=1"),
    "key twice": (["foo=1,foo=1"], "foo=1"),
    "key twice, two values": (["foo=1,foo=2"], "foo=1"),
    "key in two fields": (["foo=1", "foo=2"], "foo=1"),
    "every character": ([f"{KEY}={VALUE}"], f"{KEY}={VALUE}"),
    "every character, with @": ([f"{KEY}@a-z0-9_-*/={VALUE}"], f"{KEY}@a-z0-9_-*/={VALUE}"),
    "blanks": (["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
    "more blanks": (["foo=1\t \t,\t \tbar=2,\t \tbaz=3"], "foo=1,bar=2,baz=3"),
    "space before": ([" foo=1"], "foo=1"),
    "tab before": (["\tfoo=1"], "foo=1"),
    "space after": (["foo=1 "], "foo=1"),
    "tab after": (["foo=1\t"], "foo=1"),
    "blanks around": (["\t foo=1 \t"], "foo=1"),
    "ends with @": (["foo@=1,bar=2"], "foo@=1,bar=2"),
    "two @": (["foo@@bar=1,bar=2"], "foo@@bar=1,bar=2"),
    "two vendors": (["foo@bar@baz=1,bar=2"], "foo@bar@baz=1,bar=2"),
    "32 members": ([",".join(BARS[:20]), ",".join(BARS[20:32])], ",".join(BARS[:32])),
    "longest key": (["foo=1", f"{LONG}=1"], f"foo=1,{LONG}=1"),
    "long tenant": (["foo=1", f"{'t' * 241}@{'v' * 14}=1"], f"foo=1,{'t' * 241}@{'v' * 14}=1"),
    "longer tenant": (["foo=1", f"{'t' * 242}@v=1"], f"foo=1,{'t' * 242}@v=1"),
    "long system": (["foo=1", f"t@{'v' * 15}=1"], f"foo=1,t@{'v' * 15}=1"),
    "key that begins with a digit": (["1a-2f@foo=bar1"], "1a-2f@foo=bar1"),
}


@pytest.mark.parametrize(("received", "passed"), PASSED.values(), ids=PASSED)
def test_tracestate_is_passed_on(sent_on, received, passed):
    """What is well-formed goes on, in its order and in one field."""
    ((trace, _, _, got),) = sent_on(state(*received))
    assert (trace, got) == (TRACE, passed)


DROPPED = {
    "empty": [""],
    "blank in a key": ["foo =1"],
    "upper case": ["FOO=1"],
    "dot in a key": ["foo.bar=1"],
    "begins with @": ["@foo=1,bar=2"],
    "33 members": [",".join(BARS[:20]), ",".join(BARS[20:])],
    "key of 257": ["foo=1", f"{LONG}z=1"],
    "two equals": ["foo=bar=baz"],
    "no value": ["foo=,bar=3"],
    "value of 257": [f"foo={'v' * 257}"],
    "no equals": ["foo"],
}


@pytest.mark.parametrize("received", DROPPED.values(), ids=DROPPED)
def test_malformed_tracestate_is_dropped_alone(sent_on, received):
    """What is not well-formed is dropped whole; the trace goes on without it."""
    ((trace, _, _, got),) = sent_on(state(*received))
    assert (trace, got) == (TRACE, None)


def test_long_tracestate_is_cut_by_whole_members(sent_on):
    """Over 512 characters the members of more than 128 go first, then the last ones (§3.3.1.5)."""
    large = f"big={'x' * 130}"
    small = [f"k{n:02}={'v' * 36}" for n in range(14)]
    ((_, _, _, got),) = sent_on(state(",".join([small[0], large, *small[1:]])))
    assert got == ",".join(small[:12])
    assert len(got) <= 512


def test_several_calls_of_one_request(sent_on):
    """Three calls made for one request are three spans of its trace."""
    calls = sent_on([("traceparent", GOOD)], calls=3)
    assert {trace for trace, *_ in calls} == {TRACE}
    assert len({span for _, span, *_ in calls} - {SPAN}) == 3


def test_several_calls_without_a_traceparent(sent_on):
    """Without one, and with one that is not good, each call is a span of its own too."""
    assert len({span for _, span, *_ in sent_on([], calls=3)}) == 3
    calls = sent_on([("traceparent", f"00-{'0' * 32}-{SPAN}-01")], calls=3)
    assert len({span for _, span, *_ in calls}) == 3
    assert len({trace for trace, *_ in calls}) == 1


@pytest.mark.parametrize(
    ("received", "passed"),
    [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03"), ("fc", "00")],
)
def test_flags(sent_on, received, passed):
    """Sampled and random are passed on as they came (level 2); bits of no meaning are not."""
    ((_, _, flags, _),) = sent_on([("traceparent", f"00-{TRACE}-{SPAN}-{received}")])
    assert flags == passed
