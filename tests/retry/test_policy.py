"""May this be tried again? The decision as a table."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import (
    BadStatusLine,
    HTTPException,
    IncompleteRead,
    LineTooLong,
    RemoteDisconnected,
)

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from requests.exceptions import ChunkedEncodingError, ContentDecodingError
from urllib3 import HTTPResponse
from urllib3.exceptions import (
    ClosedPoolError,
    DecodeError,
    InvalidChunkLength,
    LocationParseError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
)

from tracedclient import RetryPolicy
from tracedclient.errors import AddressRefused, DeadlineExceeded
from tracedclient.retry import ANSWERED, AttemptFacts, decide
from tracedclient.trace.model import PHASES
from tracedclient.transport.reading import TooLargeHead

POLICY = RetryPolicy()


def raised(outer, *inner):
    """``outer``, raised while handling the first of ``inner``, raised while handling …"""
    if inner:
        outer.__cause__ = outer.__context__ = raised(*inner)
    return outer


def wrapped(*inner, outer=requests.ConnectionError):
    """``inner``, the first of them raised from the second, as requests raises it."""
    retries = MaxRetryError(None, "/?q=1", inner[0])
    return raised(outer(retries), retries, *inner)


_REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
REFUSED = wrapped(NewConnectionError(None, "failed"), _REFUSED)
RESET = wrapped(ProtocolError("aborted", ConnectionResetError(errno.ECONNRESET, "reset")))
CLOSED = wrapped(ProtocolError("aborted", RemoteDisconnected("closed without response")))
SILENT = wrapped(ReadTimeoutError(None, "/", "Read timed out."), outer=requests.ReadTimeout)
CUT_OFF = raised(ChunkedEncodingError("cut"), ProtocolError("cut"), IncompleteRead(b"x"))


def unsent(phase, **facts):
    return {"phase": phase, "sent": False, **facts}


def sent(phase, **facts):
    return {"phase": phase, "sent": True, **facts}


POST = {"method": "POST"}
KEYED = {"method": "POST", "keyed": True}
STREAMED = {"replayable": False}


def gai(code):
    error = socket.gaierror(code, "?")
    return wrapped(NameResolutionError("b.internal", None, error), error)


def tls(error):
    return wrapped(error, outer=requests.exceptions.SSLError)


def tunnel(status):
    error = OSError(f"Tunnel connection failed: {status} No")
    return wrapped(ProxyError("cannot", error), outer=requests.exceptions.ProxyError)


NOTHING_SENT = {
    "refused": (REFUSED, unsent("connect"), True, "connect failed, nothing sent"),
    "refused, POST": (REFUSED, unsent("connect", **POST), True, "nothing sent"),
    "refused, generator": (REFUSED, unsent("connect", **STREAMED), False, "not replayable"),
    "pool exhausted": (wrapped(ProtocolError("full")), unsent("blocked", **POST), True, "blocked"),
    "name server fails": (gai(socket.EAI_AGAIN), unsent("dns", **POST), True, "dns failed"),
    "no such name": (gai(socket.EAI_NONAME), unsent("dns"), False, "name has no address"),
    "proxy resets": (RESET, unsent("proxy", **POST), True, "proxy failed"),
    "handshake is silent": (SILENT, unsent("tls", **POST), True, "tls failed, nothing sent"),
    "handshake cut off": (tls(ssl.SSLEOFError(8, "EOF")), unsent("tls", **POST), True, "tls"),
    "handshake, system": (tls(ssl.SSLSyscallError(5, "I/O")), unsent("tls"), True, "tls"),
    "certificate": (tls(ssl.SSLCertVerificationError()), unsent("tls"), False, "certificate"),
    "TLS version": (tls(ssl.SSLError(1, "WRONG_VERSION")), unsent("tls"), False, "TLS settings"),
    "no descriptors": (wrapped(OSError(errno.EMFILE, "")), unsent("connect"), False, "of sockets"),
    "no ports": (wrapped(OSError(errno.EADDRNOTAVAIL, "")), unsent("connect"), False, "of sockets"),
    "proxy: 407": (tunnel(407), unsent("proxy"), False, "proxy refuses"),
    "proxy: 403": (tunnel(403), unsent("proxy", **POST), False, "proxy refuses"),
    "proxy: 429": (tunnel(429), unsent("proxy"), True, "proxy failed"),
    "proxy: 502": (tunnel(502), unsent("proxy", **POST), True, "proxy failed"),
    "proxy: 504": (tunnel(504), unsent("proxy"), True, "proxy failed"),
}

SENT = {
    "reset": (RESET, sent("wait"), True, "wait failed"),
    "reset, POST": (RESET, sent("wait", **POST), False, "POST is not idempotent"),
    "reset, POST with a key": (RESET, sent("wait", **KEYED), True, "wait failed"),
    "reset, key and generator": (RESET, sent("wait", **KEYED, **STREAMED), False, "replayable"),
    "reset, PATCH": (RESET, sent("wait", method="PATCH"), False, "PATCH is not idempotent"),
    "reset, PUT": (RESET, sent("wait", method="PUT"), True, "wait failed"),
    "reset, DELETE": (RESET, sent("wait", method="DELETE"), True, "wait failed"),
    "reset, lower case": (RESET, sent("wait", method="get"), True, "wait failed"),
    "reset, own method": (RESET, sent("wait", method="PURGE"), False, "PURGE is not idempotent"),
    "reset, generator": (RESET, sent("wait", **STREAMED), False, "body not replayable"),
    "closed": (CLOSED, sent("wait"), True, "wait failed"),
    "closed, POST": (CLOSED, sent("wait", **POST), False, "not idempotent"),
    "silent": (SILENT, sent("wait"), True, "wait failed"),
    "silent, POST": (SILENT, sent("wait", **POST), False, "not idempotent"),
    "upload breaks off": (RESET, sent("send", **POST), False, "not idempotent"),
    "upload breaks off, PUT": (RESET, sent("send", method="PUT"), True, "send failed"),
    "body cut off": (CUT_OFF, sent("receive"), True, "receive failed"),
    "body cut off, POST": (CUT_OFF, sent("receive", **POST), False, "not idempotent"),
    "where is unknown": (RESET, {}, True, "exchange failed"),
    "where is unknown, POST": (RESET, POST, False, "not idempotent"),
    # The phase alone proves nothing: a byte may have left.
    "connect, but sent": (REFUSED, sent("connect", **POST), False, "not idempotent"),
    # Nor is silence about what was sent a proof.
    "connect, perhaps sent": (REFUSED, {"phase": "connect", **POST}, False, "not idempotent"),
    # And nothing sent proves nothing about a phase in which something is.
    "send, but unsent": (RESET, unsent("send", **POST), False, "not idempotent"),
}

FINAL = {
    "garbage": (wrapped(ProtocolError("x", BadStatusLine("x"))), sent("wait"), "BadStatusLine"),
    "long header": (wrapped(ProtocolError("x", LineTooLong("x"))), sent("wait"), "LineTooLong"),
    "150 headers": (wrapped(ProtocolError("x", HTTPException("x"))), sent("wait"), "HTTPException"),
    "endless head": (
        wrapped(ProxyError("cannot", TooLargeHead("x")), outer=requests.exceptions.ProxyError),
        unsent("proxy"),
        "TooLargeHead",
    ),
    "bad chunk": (
        raised(ChunkedEncodingError(), InvalidChunkLength(HTTPResponse(), b"zz")),
        sent("receive"),
        "InvalidChunkLength",
    ),
    "bad gzip": (raised(ContentDecodingError(), DecodeError("x")), sent("receive"), "DecodeError"),
    "too many redirects": (requests.TooManyRedirects(), {}, "TooManyRedirects"),
    "invalid URL": (requests.exceptions.InvalidURL(), {}, "InvalidURL"),
    "address denied": (AddressRefused(), unsent("dns"), "AddressRefused"),
    "unparsable URL": (LocationParseError("x"), {}, "LocationParseError"),
    "closed pool": (wrapped(ClosedPoolError(None, "x")), unsent("blocked"), "ClosedPoolError"),
    "body raises": (ValueError("disk gone"), sent("send"), "ValueError"),
    "body's file is gone": (OSError(errno.EIO, "disk gone"), sent("send"), "OSError"),
}

REUSED = {"reused": True}
STALE = {
    "closed": (CLOSED, sent("wait", **REUSED), True, True),
    "reset": (RESET, sent("wait", **REUSED), True, True),
    "broken pipe": (wrapped(BrokenPipeError(errno.EPIPE, "")), sent("send", **REUSED), True, True),
    "TLS closed": (tls(ssl.SSLZeroReturnError(6, "")), sent("wait", **REUSED), True, True),
    "TLS cut off": (tls(ssl.SSLEOFError(8, "")), sent("wait", **REUSED), True, True),
    "POST with a key": (CLOSED, sent("wait", **REUSED, **KEYED), True, True),
    "POST": (CLOSED, sent("wait", **REUSED, **POST), False, False),
    "generator": (CLOSED, sent("wait", **REUSED, **STREAMED), False, False),
    "for the second time": (CLOSED, sent("wait", **REUSED, stale_before=True), True, False),
    "new connection": (CLOSED, sent("wait"), True, False),
    "silence": (SILENT, sent("wait", **REUSED), True, False),
    "in the answer": (RESET, sent("receive", **REUSED), True, False),
    "garbage": (wrapped(BadStatusLine("x")), sent("wait", **REUSED), False, False),
}

INTERRUPTED = [KeyboardInterrupt(), SystemExit(), GeneratorExit()]


def decision(error, facts, policy=POLICY):
    given = {"method": "GET", "replayable": True, **facts}
    return decide(AttemptFacts(error=error, **given), policy)


@pytest.mark.parametrize(
    ("error", "facts", "retry", "reason"), NOTHING_SENT.values(), ids=NOTHING_SENT
)
def test_failure_before_a_byte_was_sent(error, facts, retry, reason):
    """What provably never left may be tried again whatever its method, unless it would fail again."""
    assert decision(error, facts).retry is retry
    assert reason in decision(error, facts).reason


@pytest.mark.parametrize(("error", "facts", "retry", "reason"), SENT.values(), ids=SENT)
def test_failure_after_a_byte_was_sent(error, facts, retry, reason):
    """What may have been received is sent again only where a repetition does no harm."""
    assert decision(error, facts).retry is retry
    assert reason in decision(error, facts).reason


@pytest.mark.parametrize(("error", "facts", "reason"), FINAL.values(), ids=FINAL)
def test_failure_that_would_come_again(error, facts, reason):
    """What the peer got wrong, or the caller, is not tried again."""
    assert decision(error, facts)[:2] == (False, f"{reason} is final")


@pytest.mark.parametrize(("error", "facts", "retry", "free"), STALE.values(), ids=STALE)
def test_stale_connection_costs_no_attempt(error, facts, retry, free):
    """A kept-alive connection that the server had closed is no failure of the server's: the next
    try is free, once, and only where a repetition does no harm."""
    found = decision(error, facts)
    assert (found.retry, found.free) == (retry, free)
    assert (found.reason == "stale connection") is free


@pytest.mark.parametrize("error", INTERRUPTED, ids=lambda error: type(error).__name__)
def test_interruption_is_never_retried(error):
    """Whoever ends the process, or the call, is obeyed."""
    assert decision(error, unsent("connect"))[:2] == (False, "interrupted")


@pytest.mark.parametrize(
    ("status", "facts", "retry", "reason"),
    [
        (200, {}, False, "answered"),
        (404, {}, False, "answered"),
        (500, {}, False, "answered"),
        (501, {}, False, "answered"),
        (408, {}, True, "status 408"),
        (425, {}, True, "status 425"),
        (429, {}, True, "status 429"),
        (502, {}, True, "status 502"),
        (503, {}, True, "status 503"),
        (504, {}, True, "status 504"),
        (503, POST, False, "status 503, POST is not idempotent"),
        (429, POST, False, "status 429, POST is not idempotent"),
        (503, KEYED, True, "status 503"),
        (503, STREAMED, False, "body not replayable"),
        (409, {}, False, "answered"),
        (409, KEYED, False, "answered"),
        (409, {"told_when": True}, False, "answered"),
        (409, {"told_when": True, **KEYED}, True, "status 409"),
        (409, {"told_when": True, **KEYED, **STREAMED}, False, "body not replayable"),
    ],
)
def test_answer(status, facts, retry, reason):
    """Answers that say "not now" are asked for again, where that does no harm; 500 is not one."""
    assert decision(None, {"status": status, **facts}) == (retry, reason, False)


def test_policy_decides_which_methods_and_statuses():
    """A policy may widen or narrow what is repeated; what was not sent is not its business."""
    policy = RetryPolicy(methods={"post"}, statuses={500})
    assert decision(RESET, sent("wait", **POST), policy).retry
    assert not decision(RESET, sent("wait"), policy).retry
    assert decision(None, {"status": 500, **POST}, policy).retry
    assert not decision(None, {"status": 503, **POST}, policy).retry
    assert decision(REFUSED, unsent("connect"), policy).retry


def test_deadline_inside_of_an_attempt_is_a_timeout():
    """A deadline that has passed is decided as a timeout: never again for a POST."""
    assert not decision(DeadlineExceeded(), POST).retry


def test_failure_that_the_caller_was_handling_does_not_count():
    """A fallback called in an except block is tried again on its own merits."""
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    # As Python sets it when the second is raised while the first is handled.
    refused.__context__ = gai(socket.EAI_NONAME)
    fallback = wrapped(NewConnectionError(None, "failed"), refused)
    assert decision(fallback, unsent("connect")).retry


any_errors = st.sampled_from(
    [
        None,
        *INTERRUPTED,
        *(row[0] for rows in (NOTHING_SENT, SENT, FINAL, STALE) for row in rows.values()),
        wrapped(NewConnectionError(None, "x")),
        RuntimeError(),
    ]
)
any_facts = st.builds(
    AttemptFacts,
    method=st.sampled_from(["GET", "POST", "PATCH", "", "brew"]),
    replayable=st.booleans(),
    keyed=st.booleans(),
    status=st.none() | st.integers(100, 599),
    error=any_errors,
    phase=st.none() | st.sampled_from([*PHASES, "prepare", "?"]),
    sent=st.booleans(),
    reused=st.booleans(),
    stale_before=st.booleans(),
    told_when=st.booleans(),
)


@given(any_facts)
def test_nothing_is_ever_repeated_that_must_not_be(facts):
    """Whatever the facts: no body twice that cannot be, no POST twice that may have arrived."""
    found = decide(facts, POLICY)
    assert found.reason
    if found.free:
        assert found.retry
        assert facts.reused
        assert not facts.stale_before
    if found.retry:
        assert facts.replayable
        assert facts.error is None or isinstance(facts.error, Exception)
        unharmful = facts.keyed or facts.method == "GET"
        assert unharmful or (not facts.sent and facts.phase in PHASES[:5])


@given(st.integers(200, 399), st.sampled_from(["GET", "POST"]), st.booleans(), st.booleans())
def test_an_answer_below_400_is_the_last_whatever_the_policy(status, method, keyed, replayable):
    """No policy repeats what went well: the call need not ask it."""
    facts = AttemptFacts(method=method, replayable=replayable, keyed=keyed, status=status)
    for policy in (RetryPolicy(), RetryPolicy(statuses=range(400, 600), methods={"GET", "POST"})):
        assert decide(facts, policy) == ANSWERED
