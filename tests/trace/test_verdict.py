"""Whose fault it was: facts made by hand → a culprit, and a sentence to paste into an incident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_traces import attempt, exchange, facts

from tracedclient.trace.model import (
    CULPRITS,
    DNS,
    PHASES,
    TCP,
    TLS,
    Attempt,
    Connect,
    Connection,
    ErrorInfo,
    Exchange,
    Proxy,
    TraceResult,
    Usual,
)
from tracedclient.trace.verdict import Facts, judge


def failed(phase, message=None, *, error="ConnectionError", duration_ms=10.0, **exchange_facts):
    return facts(
        attempt(exchange(**exchange_facts)),
        error=ErrorInfo(type=error, phase=phase, message=message),
        duration_ms=duration_ms,
    )


V4 = Connect(addr="10.0.0.9:443", ms=1000.4, error="ETIMEDOUT: Connection timed out")
V6 = Connect(addr="[2001:db8::7]:443", ms=0.6, error="ECONNREFUSED: Connection refused")
KEPT_ALIVE = Connection(id=7, reused=True, age_ms=9000.0, uses=3, idle_ms=5001.2)
FRESH = Connection(id=8, reused=False, age_ms=1.0, uses=0)
PROXY = "http://REDACTED@proxy.test:3128"

FAILURES = {
    "name without an address": (
        failed(
            "dns",
            "EAI_NONAME: Name or service not known",
            dns=DNS(host="b.internal", error="EAI_NONAME: Name or service not known"),
        ),
        "dns",
        ["DNS", "b.internal", "EAI_NONAME"],
    ),
    "one address refuses": (
        failed("connect", connects=(V6,)),
        "connect",
        ["no connection: [2001:db8::7]:443 failed after 0.6 ms", "ECONNREFUSED"],
    ),
    "no address answers": (
        failed("connect", connects=(V6, V4)),
        "connect",
        ["none of 2 addresses", "[2001:db8::7]:443", "10.0.0.9:443 did not answer for 1.0 s"],
    ),
    "addresses given up for a faster one": (
        failed(
            "connect",
            connects=(
                Connect(addr="10.0.0.8:443", ms=250.0, error="ECANCELED: Operation canceled"),
                Connect(addr="10.0.0.7:443", ms=1000.0),
            ),
        ),
        "connect",
        ["10.0.0.8:443 did not answer for 250 ms", "10.0.0.7:443 did not answer for 1.0 s"],
    ),
    "no address was tried to the end": (
        failed("connect", "EACCES: Permission denied"),
        "connect",
        ["EACCES: Permission denied"],
    ),
    "no file descriptor is left": (
        failed("dns", "EMFILE: Too many open files"),
        "client",
        ["this process has no file descriptor left", "EMFILE: Too many open files"],
    ),
    "no file descriptor is left on the machine": (
        failed("connect", "ENFILE: Too many open files in system"),
        "client",
        ["this machine has no file descriptor left", "ENFILE: Too many open files in system"],
    ),
    "proxy refuses CONNECT": (
        failed("proxy", "…", proxy=Proxy(url=PROXY, target="api.test:443", status=407)),
        "proxy",
        [PROXY, "api.test:443", "407", "never contacted"],
    ),
    "proxy breaks off": (
        failed("proxy", "ECONNRESET: Connection reset by peer", proxy=Proxy(url=PROXY)),
        "proxy",
        [PROXY, "ECONNRESET"],
    ),
    "certificate": (
        failed(
            "tls",
            "CERTIFICATE_VERIFY_FAILED: certificate has expired",
            error="SSLError",
            tls=(TLS(server_name="api.test"),),
        ),
        "tls",
        ["api.test", "certificate has expired"],
    ),
    "second of two handshakes": (
        failed(
            "tls",
            "EOF occurred",
            tls=(TLS(server_name="proxy.test", proxy=True), TLS(server_name="api.test")),
        ),
        "tls",
        ["handshake with api.test", "EOF occurred"],
    ),
    "upload breaks off": (
        failed("send", "EPIPE: Broken pipe", bytes_sent=65536),
        "send",
        ["after 65536 bytes", "EPIPE"],
    ),
    "no answer in time": (
        failed("wait", "timed out", error="ReadTimeout", ms={"wait": 5000.4}, connection=FRESH),
        "server",
        ["request was sent", "no answer", "within 5.0 s", "timed out"],
    ),
    "kept-alive connection was closed": (
        failed("wait", "ECONNRESET: reset", ms={"wait": 0.4}, connection=KEPT_ALIVE),
        "server",
        ["kept-alive", "idle for 5.0 s", "ECONNRESET"],
    ),
    "request did not leave": (
        failed("wait", "timed out", tcp=TCP(delivery="none_left"), bytes_sent=120),
        "send",
        ["nothing left this machine"],
    ),
    "request did not arrive": (
        failed("wait", "timed out", tcp=TCP(delivery="unacknowledged"), bytes_sent=120),
        "send",
        ["none of the request's 120 bytes was acknowledged"],
    ),
    "request arrived in part": (
        failed("wait", "timed out", tcp=TCP(delivery="partly_acknowledged"), bytes_sent=120),
        "send",
        ["only part of the request's 120 bytes"],
    ),
    "request arrived": (
        failed("wait", "timed out", tcp=TCP(delivery="acknowledged"), bytes_sent=120),
        "server",
        ["all 120 bytes of the request were acknowledged"],
    ),
    "delivery is unknown": (
        failed("wait", "timed out", tcp=TCP(delivery="none_left")),
        "server",
        ["request was sent"],
    ),
    "body breaks off": (
        failed("receive", "the connection ended before the body did", bytes_received=1234),
        "body",
        ["after 1234 bytes", "ended before the body did"],
    ),
    "pool is exhausted": (
        failed("blocked", "no connection of the pool became free in time"),
        "pool",
        ["no connection", "became free in time"],
    ),
    "request cannot be made": (
        failed("prepare", "the URL is not valid", error="InvalidURL"),
        "client",
        ["could not be made", "the URL is not valid"],
    ),
    "too many redirects": (
        failed("redirect", "too many redirects", error="TooManyRedirects"),
        "server",
        ["redirect from http://api.test/ was not followed", "too many redirects"],
    ),
}


@pytest.mark.parametrize(("given_facts", "culprit", "words"), FAILURES.values(), ids=FAILURES)
def test_failure_names_its_culprit(given_facts, culprit, words):
    """Each phase that can fail has its culprit, and a sentence with the facts that show it."""
    verdict = judge(given_facts)
    assert verdict.culprit == culprit
    assert [word for word in words if word not in verdict.sentence] == []


def test_error_without_a_text_that_may_be_shown_is_named_by_its_class():
    """Where the message may not be shown, the error's class stands in the sentence."""
    assert "MyBodyError" in judge(failed("send", error="MyBodyError")).sentence


def test_failure_before_any_exchange_is_explained():
    """A failure that has no exchange to look at still gets culprit and reason."""
    for phase in (*PHASES, "prepare", "redirect"):
        verdict = judge(facts(error=ErrorInfo(type="X", phase=phase, message="why")))
        assert verdict.culprit != "none"
        assert "why" in verdict.sentence or "X" in verdict.sentence


def test_deadline_says_where_the_time_went():
    """A call that ran out of time says how long, how many tries, and the phase that took most."""
    error = ErrorInfo(type="DeadlineExceeded", phase="wait")
    verdict = judge(
        facts(
            attempt(),
            attempt(),
            error=error,
            duration_ms=10_000.0,
            phases={"wait": 9_000.0, "dns": 20.0},
        )
    )
    assert verdict.culprit == "deadline"
    assert "10.0 s and 2 attempts: 9.0 s of it waiting for the server" in verdict.sentence


def test_deadline_spent_asleep_blames_no_phase():
    """Time slept between tries counts as such: a phase of 1 ms is not "most of it"."""
    error = ErrorInfo(type="DeadlineExceeded", phase="wait")
    asleep = facts(
        attempt(), error=error, duration_ms=1_000.0, phases={"wait": 1.0}, retry_sleep_ms=900.0
    )
    assert "900 ms of it sleeping between attempts" in judge(asleep).sentence


def test_deadline_outside_of_the_wire_is_told_so():
    """A deadline that passed while nothing was on the wire blames no phase that took a moment."""
    error = ErrorInfo(type="DeadlineExceeded", phase="wait")
    scattered = facts(
        attempt(), error=error, duration_ms=1_000.0, phases={"wait": 30.0, "dns": 9.0}
    )
    sentence = judge(scattered).sentence
    assert "1.0 s and 1 attempt: 961 ms of it outside of the wire, in this process" in sentence


def test_deadline_eaten_by_several_names_each_with_its_share():
    """What took a quarter of a deadline or more is named with its share, the largest first."""
    error = ErrorInfo(type="DeadlineExceeded", phase="wait")
    phases = {"dns": 2_000.0, "tls": 200.0, "wait": 1_300.0}
    sentence = judge(
        facts(attempt(), error=error, duration_ms=5_000.0, phases=phases, retry_sleep_ms=1_500.0)
    ).sentence
    assert sentence.endswith(
        ": 40% (2.0 s) looking up the name, 30% (1.5 s) sleeping between attempts and "
        "26% (1.3 s) waiting for the server's answer"
    )


def test_interruption_is_nobodys_fault_on_the_wire():
    """A call that its own process interrupted does not blame the server it was waiting for."""
    waiting = failed("wait", error="KeyboardInterrupt", duration_ms=321.0)
    verdict = judge(waiting._replace(cancelled=True))
    assert verdict.culprit == "client"
    assert "KeyboardInterrupt" in verdict.sentence
    assert "321 ms" in verdict.sentence


@pytest.mark.parametrize(
    ("status", "culprit", "words"),
    [
        (500, "server", ["answered 500", "after 90 ms"]),
        (503, "server", ["answered 503"]),
        (400, "client", ["400"]),
        (404, "client", ["404"]),
        (429, "server", ["too many requests", "429"]),
    ],
)
def test_refusal_names_its_culprit(status, culprit, words):
    """A 5xx and a 429 are the server's, another 4xx is the request's."""
    verdict = judge(facts(attempt(status=status), status=status, phases={"wait": 90.0}))
    assert verdict.culprit == culprit
    assert [word for word in words if word not in verdict.sentence] == []


def test_server_error_counts_only_the_attempts_that_had_it():
    """ "On each attempt" is said only when each attempt was answered so."""
    alike = judge(facts(attempt(status=503), attempt(status=503), status=503))
    assert "503 on each of 2 attempts" in alike.sentence
    unlike = judge(facts(attempt(), attempt(status=503), status=503))
    assert "503 on the last of 2 attempts" in unlike.sentence
    assert judge(facts(attempt(status=503), status=503)).sentence == "the server answered 503"


amounts = st.floats(0, 1e6)
any_facts = st.builds(
    Facts,
    status=st.none() | st.integers(100, 599),
    error=st.none()
    | st.builds(
        ErrorInfo,
        type=st.sampled_from(["ReadTimeout", "DeadlineExceeded"]),
        phase=st.sampled_from([*PHASES, "prepare", "redirect", "?"]),
        message=st.none() | st.just("why"),
    ),
    duration_ms=amounts,
    attempts=st.sampled_from([(), (attempt(),), (attempt(exchange(connects=(V4,))), attempt())]),
    phases=st.dictionaries(st.sampled_from(PHASES), amounts),
    retry_sleep_ms=amounts,
    cancelled=st.booleans(),
    usual=st.none() | st.builds(Usual, calls=st.just(31), duration_ms=amounts, wait_ms=amounts),
)
FIELDS = {name for noun in (TraceResult, Attempt, Exchange) for name in noun.__struct_fields__}


@given(any_facts)
def test_verdict_on_anything(given_facts):
    """Any facts get a culprit of the list, on one line, resting on fields that exist."""
    verdict = judge(given_facts)
    assert verdict.culprit in CULPRITS
    assert set(verdict.evidence) <= FIELDS
    assert verdict.sentence is None or "\n" not in verdict.sentence
    assert (verdict.sentence is None) == (verdict == ("none", None, ()))
    assert (verdict.culprit == "none") or verdict.evidence
