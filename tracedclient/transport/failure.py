"""What is known about the wire when a request failed: the facts that decide about a retry.

Exception types do not tell them: a TLS handshake that stalls is a ``ReadTimeout``, a refused
certificate is a ``ConnectionError``. So the connection, which knows, attaches them to the error
that passes through it; they cost nothing on the way of a request that succeeds.
"""

from __future__ import annotations

from contextlib import suppress

from tracedclient._value import Value
from tracedclient.redaction import causes

_ATTRIBUTE = "_tracedclient_wire"


class WireFacts(Value):
    phase: str
    """What was under way, one of ``trace.model.PHASES``."""
    sent: bool
    """Whether any byte of the request may have left this process."""
    reused: bool
    """Whether the connection had carried a request before."""


def attach(error: BaseException, facts: WireFacts) -> None:
    """Remember ``facts`` on ``error``, unless it carries some: the first to know, knows best."""
    if not hasattr(error, _ATTRIBUTE):
        with suppress(AttributeError):  # an exception with __slots__
            setattr(error, _ATTRIBUTE, facts)


def wire_facts(error: BaseException) -> WireFacts | None:
    """Return what was attached to ``error`` or to what lies behind it, if anything was."""
    for cause in causes(error):
        facts = getattr(cause, _ATTRIBUTE, None)
        if isinstance(facts, WireFacts):
            return facts
    return None
