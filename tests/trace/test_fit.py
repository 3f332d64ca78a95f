"""The cut to a line's size: what goes first, and what stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_traces import AT, attempt, exchange, result

from tracedclient.trace.model import DNS, TLS, Connect, Event
from tracedclient.trace.schema import MAX_LINE, fit, from_json, to_json

# What the logger adds fits in between.
LIMIT = 14_000
EVENTS = tuple(Event(event="got_first_response_byte", at=AT) for _ in range(20))


def huge(attempts=5, exchanges=1, addresses=0, events=EVENTS, text="x", **facts):
    """A result of that many parts, each text ``text``."""
    connects = tuple(
        Connect(addr=f"[2001:db8::{n}]:443", ms=1.5, error="ECONNREFUSED: Connection refused")
        for n in range(addresses)
    )
    one = exchange(
        url=f"https://api.test/{text}",
        dns=DNS(host=text, addrs=tuple(connect.addr for connect in connects)),
        connects=connects,
        tls=(TLS(server_name=text, alt_names=(text,) * 3),),
        events=events,
    )
    tries = [
        attempt(*[one] * exchanges, number=number, status=503) for number in range(1, attempts + 1)
    ]
    return result(*tries, url_full=f"https://api.test/{text}", **facts)


def test_what_fits_is_left_as_it_is():
    """A trace that fits is not touched, and does not say that it was."""
    small = huge(attempts=2)
    assert fit(small) is small
    assert fit(small, len(to_json(small))) is small
    assert fit(small, len(to_json(small)) - 1).truncated
    assert MAX_LINE == 15_000
    assert not small.truncated


def test_events_go_first():
    """The first thing to go are the events; all attempts and exchanges stay."""
    trace = huge(attempts=5, exchanges=3)
    cut = fit(trace)
    assert len(to_json(trace)) > LIMIT >= len(to_json(cut))
    assert cut.truncated
    assert cut.attempts_dropped is None
    assert [len(one.exchanges) for one in cut.attempts] == [3] * 5
    assert all(not e.events for one in cut.attempts for e in one.exchanges)
    assert cut.attempts[0].exchanges[0].connects == trace.attempts[0].exchanges[0].connects


def test_middle_attempts_go_second():
    """Of many attempts, the first two and the last six stay, and the rest is counted."""
    cut = fit(huge(attempts=50, events=()))
    assert [one.number for one in cut.attempts] == [1, 2, 45, 46, 47, 48, 49, 50]
    assert cut.attempts_dropped == 42
    assert cut.attempt_count == 50


@pytest.mark.parametrize(("attempts", "kept", "dropped"), [(8, 8, None), (9, 8, 1)])
def test_no_attempt_goes_without_being_counted(attempts, kept, dropped):
    """Up to eight attempts all stay at this step; one more, and one is dropped and counted."""
    cut = fit(huge(attempts=attempts, exchanges=20, events=()))
    assert (len(cut.attempts), cut.attempts_dropped) == (kept, dropped)


def test_middle_redirects_go_third():
    """Of many redirects, the first and the last exchange stay, and the rest is counted."""
    hops = [exchange(url=f"https://api.test/{number}", events=EVENTS) for number in range(150)]
    cut = fit(result(attempt(*hops[:2]), attempt(*hops[:3]), attempt(*hops)))
    assert [len(one.exchanges) for one in cut.attempts] == [2, 2, 2]
    assert [one.exchanges_dropped for one in cut.attempts] == [None, 1, 148]
    assert [hop.url[-3:] for hop in cut.attempts[2].exchanges] == ["t/0", "149"]
    assert cut.attempts_dropped is None


def test_attempts_go_fourth():
    """When nothing else helps, all attempts go, and the summary stays whole."""
    sentence = "no address answered: " + "10.0.0.9:443; " * 50
    cut = fit(huge(addresses=100, verdict_sentence=sentence))
    assert cut.attempts == ()
    assert cut.attempts_dropped == 5
    assert cut.verdict_sentence == sentence


def test_long_texts_go_last():
    """A summary too long in itself keeps its id and its numbers, and the start of each text."""
    trace = huge(text="\N{GRINNING FACE}" * 2_000, service_name="s" * 20_000, trace_id="i" * 128)
    cut = fit(trace)
    assert len(to_json(cut)) <= LIMIT
    assert cut.trace_id == trace.trace_id
    assert cut.service_name == "s" * 100
    assert cut.url_full.startswith("https://api.test/")
    assert cut.duration_ms == trace.duration_ms


@given(
    st.builds(
        huge,
        attempts=st.integers(0, 5),
        exchanges=st.integers(1, 31),
        addresses=st.sampled_from([0, 1, 16, 64]),
        events=st.sampled_from([(), EVENTS]),
        text=st.builds(
            str.__mul__, st.sampled_from('xé\N{GRINNING FACE}"\\'), st.integers(0, 2048)
        ),
        verdict_sentence=st.none() | st.just("s" * 9_000),
        service_name=st.none() | st.text(max_size=100).map(lambda text: text * 50),
    )
)
def test_any_trace_is_cut_to_the_limit(trace):
    """However large a trace, its line keeps the limit, can be read, and says what was dropped."""
    cut = fit(trace)
    assert len(to_json(cut)) <= LIMIT
    assert from_json(to_json(cut)) == cut
    assert cut.truncated == (len(to_json(trace)) > LIMIT)
    assert len(cut.attempts) + (cut.attempts_dropped or 0) == len(trace.attempts)
    for one in cut.attempts:
        whole = trace.attempts[one.number - 1]
        assert len(one.exchanges) + (one.exchanges_dropped or 0) == len(whole.exchanges)
    assert cut.trace_id == trace.trace_id
    assert fit(cut) == cut
