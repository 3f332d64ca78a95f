"""May this be tried again? A pure function from what happened on the wire to yes or no, and why.

The decision rests on facts and not on exception types: whether a byte of the request has left, on
which connection, and in which phase it failed. First match wins; each line has a test.
"""

from __future__ import annotations

import errno
import socket
import ssl
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
from requests.exceptions import ChunkedEncodingError

from tracedclient._pattern import pattern
from tracedclient._value import Value
from tracedclient.errors import UnusableTLSFile
from tracedclient.redaction import causes

if TYPE_CHECKING:
    from tenacity.stop import stop_base
    from tenacity.wait import wait_base
else:
    # For `get_type_hints`: the classes themselves are loaded when a call is tried again.
    stop_base = wait_base = Any

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""RFC 9110 §9.2.2."""

RETRY_STATUSES = frozenset({408, 425, 429, 502, 503, 504})
"""Answers that say "not now". Not 500: that is a bug as a rule, and stays one."""

THROTTLE_STATUSES = frozenset({429, 503})
"""Answers of a server that has too much to do: the waits before the next try are longer."""

MAX_ATTEMPTS = 5
"""The ceiling: beyond it, retries are load and no help."""

_BEFORE_SENDING = frozenset({"blocked", "dns", "connect", "proxy", "tls"})
_LOCAL_FAULTS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL})
_TLS_TRANSIENT = (
    ssl.SSLEOFError,
    ssl.SSLSyscallError,
    ssl.SSLWantReadError,
    ssl.SSLZeroReturnError,
)
# http.client's own words: the status is in no attribute. 408, 425 and 429 say "not now".
_TUNNEL_REFUSED = pattern(r"Tunnel connection failed: 4(?!08|25|29)[0-9]{2}\b")


class _FullJitter:
    """A default of tenacity's, which is loaded when a call is about to be tried again: few are."""

    def __init__(self, multiplier: float) -> None:
        self._multiplier = multiplier

    def __get__(self, _: object, __: type) -> wait_base:
        return _full_jitter(self._multiplier)


@cache
def _full_jitter(multiplier: float) -> wait_base:
    import tenacity  # noqa: PLC0415 - see _FullJitter

    return tenacity.wait_random_exponential(multiplier=multiplier, max=2.0)


class RetryPolicy(Value):
    """When to try again, and how long to wait before it.

    Raises ``TypeError`` or ``ValueError``, naming the field, for a value that cannot be meant.
    """

    max_attempts: int = 3
    """All tries, the first one included: 1 to 5. 1 switches retries off."""
    wait: wait_base = _FullJitter(0.05)  # type: ignore[assignment]
    """tenacity's wait between tries, in seconds. The default is full jitter: uniform between 0 and
    0.05, 0.1, 0.2, … at most 2 s, so that clients of a failed server do not return in step."""
    wait_throttled: wait_base = _FullJitter(1.0)  # type: ignore[assignment]
    """The same after a 429 or 503 that has no ``Retry-After``."""
    stop: stop_base | None = None
    """tenacity's stop, besides ``max_attempts`` and the call's total timeout."""
    methods: frozenset[str] = IDEMPOTENT_METHODS
    """Methods that may be repeated after they were sent."""
    statuses: frozenset[int] = RETRY_STATUSES
    """Answers after which to repeat one of ``methods``."""
    retry_after_max: float = 10.0
    """Seconds of a ``Retry-After`` that are waited for. A longer one ends the call: neither
    sleeping that long nor asking earlier than told is right."""

    def __post_init__(self) -> None:
        _check_int("max_attempts", self.max_attempts, 1, MAX_ATTEMPTS)
        for name in ("wait", "wait_throttled", "stop"):
            # None is no wait, but it is no stop.
            if name in vars(self) and (name, vars(self)[name]) != ("stop", None):
                _check_kind(name, vars(self)[name])
        if not isinstance(self.retry_after_max, (int, float)) or not self.retry_after_max >= 0:
            raise ValueError(f"retry_after_max must be 0 or more, not {self.retry_after_max!r}")
        self._set(methods=_methods(self.methods), statuses=_statuses(self.statuses))


def _check_kind(name: str, value: object) -> None:
    import tenacity  # noqa: PLC0415 - who gives one of its objects has loaded it

    kind = tenacity.stop.stop_base if name == "stop" else tenacity.wait.wait_base
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be one of tenacity's {name[:4]} objects, not {value!r}")


def _check_int(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}, not {value}")


def _methods(values: object) -> frozenset[str]:
    names = _listed("methods", values)
    if isinstance(values, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"methods must be a collection of method names, not {values!r}")
    return frozenset(name.upper() for name in names)


def _statuses(values: object) -> frozenset[int]:
    codes = _listed("statuses", values)
    for code in codes:
        _check_int("statuses", code, 400, 599)
    return frozenset(int(code) for code in codes)


def _listed(name: str, values: Any) -> list[Any]:
    """All of ``values``, taken once: a generator gives them once only."""
    try:
        return list(values)
    except TypeError:
        raise TypeError(f"{name} must be a collection, not {values!r}") from None


class AttemptFacts(Value):
    """What is known of a try that has ended."""

    method: str
    replayable: bool
    """Whether the body can be sent again, byte for byte."""
    keyed: bool = False
    """Whether the request carries an idempotency key."""
    status: int | None = None
    error: BaseException | None = None
    phase: str | None = None
    """Where it failed; ``None`` when that is unknown or it did not fail on the wire."""
    sent: bool = True
    """Whether a byte of it may have left; True when that is unknown."""
    reused: bool = False
    """Whether its connection had carried a request before."""
    stale_before: bool = False
    """Whether a try of this call has met a stale connection already."""
    told_when: bool = False
    """Whether the answer has a ``Retry-After``."""


class Decision(NamedTuple):
    retry: bool
    reason: str
    free: bool = False
    """The next try is at once, on a new connection, and counts as none: nothing is wrong with the
    server, it had closed a kept-alive connection that this request was sent on."""


ANSWERED = Decision(retry=False, reason="answered")


def decide(facts: AttemptFacts, policy: RetryPolicy) -> Decision:
    """Return whether a try may be followed by another one, and why."""
    if facts.error is None:
        return _after_answer(facts, policy)
    if not isinstance(facts.error, Exception):
        return Decision(retry=False, reason="interrupted")
    return _after_error(facts, facts.error, policy)


def _after_answer(facts: AttemptFacts, policy: RetryPolicy) -> Decision:
    # A keyed request that is still being worked on (draft-ietf-httpapi-idempotency-key-header).
    in_progress = facts.status == 409 and facts.keyed and facts.told_when
    if facts.status not in policy.statuses and not in_progress:
        return ANSWERED
    return _if_repeatable(facts, policy, f"status {facts.status}")


def _after_error(facts: AttemptFacts, error: Exception, policy: RetryPolicy) -> Decision:
    refusal = _never(error)
    if refusal is not None:
        return Decision(retry=False, reason=refusal)
    if facts.phase in _BEFORE_SENDING and not facts.sent:
        if not facts.replayable:
            # Nothing was sent, but part of the body may have been taken from the caller.
            return Decision(retry=False, reason="body not replayable")
        return Decision(retry=True, reason=f"{facts.phase} failed, nothing sent")
    if not isinstance(error, _FAILED_ON_THE_WIRE):
        return Decision(retry=False, reason=f"{type(error).__name__} is final")
    decision = _if_repeatable(facts, policy, f"{facts.phase or 'exchange'} failed")
    if decision.retry and not facts.stale_before and _is_stale(facts, error):
        return Decision(retry=True, reason="stale connection", free=True)
    return decision


def _is_stale(facts: AttemptFacts, error: Exception) -> bool:
    """Whether the server had closed the connection before it got the request, as far as one can
    tell: it was reused, and it ended before any byte of an answer.
    """
    if not facts.reused or facts.phase not in {"send", "wait"}:
        return False
    return any(isinstance(cause, _ENDED) for cause in causes(error))


_ENDED = (
    ConnectionResetError,  # http.client's RemoteDisconnected is one
    ConnectionAbortedError,
    BrokenPipeError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
)

_FAILED_ON_THE_WIRE = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError)


def _if_repeatable(facts: AttemptFacts, policy: RetryPolicy, reason: str) -> Decision:
    if facts.method.upper() not in policy.methods and not facts.keyed:
        return Decision(retry=False, reason=f"{reason}, {facts.method} is not idempotent")
    if not facts.replayable:
        return Decision(retry=False, reason="body not replayable")
    return Decision(retry=True, reason=reason)


def is_own_fault(error: Exception, phase: str | None) -> bool:
    """Whether an exchange that failed in ``phase`` says nothing of its origin: no connection of the pool
    was free, this process is out of sockets, or a file that it needs is of no use.
    """
    if phase == "blocked" or isinstance(error, UnusableTLSFile):
        return True
    return any(isinstance(it, OSError) and it.errno in _LOCAL_FAULTS for it in causes(error))


def _never(error: Exception) -> str | None:
    """Why an error is final whatever was or was not sent; ``None`` when it is not."""
    for cause in causes(error):
        if isinstance(cause, OSError) and (refusal := _refused(cause)) is not None:
            return refusal
        if type(cause).__name__ in _FINAL:
            return f"{type(cause).__name__} is final"
    return None


def _refused(error: OSError) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate refused"
    if isinstance(error, ssl.SSLError) and not isinstance(error, (*_TLS_TRANSIENT, TimeoutError)):
        return "TLS settings do not match"
    if isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN:
        return "name has no address"
    if error.errno in _LOCAL_FAULTS:
        return "this process is out of sockets"
    return "the proxy refuses the tunnel" if _TUNNEL_REFUSED.match(str(error)) else None


_FINAL = frozenset(
    {
        "BadStatusLine",
        "HTTPException",  # more than 100 headers
        "InvalidChunkLength",
        "CircuitOpen",
        "UnknownProtocol",
        "LineTooLong",
        "TooManyInterimResponses",
        "TooLargeHead",
        "DecodeError",
        "ClosedPoolError",
        "CertificateError",
        "LocationParseError",
        "InvalidHeader",
        "InvalidURL",
        "InvalidProxyURL",
        "AddressRefused",
        "UnusableTLSFile",
    }
)
