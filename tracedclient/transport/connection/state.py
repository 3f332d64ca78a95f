"""One connection, and whose it is: urllib3's, with what the layers above it know of it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tracedclient.transport.bounded import Bounded, set_deadline
from tracedclient.transport.dial import USUAL
from tracedclient.transport.response import HTTPResponse
from tracedclient.transport.writing import Writing

if TYPE_CHECKING:
    import select
    import weakref

    import urllib3.connection

    from tracedclient import httptrace
    from tracedclient.httptrace import ClientTrace
    from tracedclient.inflight import OngoingCall
    from tracedclient.transport.begun import Begun, Stage
    from tracedclient.transport.stamping import Stamping

    _Base = urllib3.connection.HTTPConnection
else:
    _Base = object

ids = itertools.count(1)

MAX_IDLE = 30.0
"""Seconds a connection may lie in the pool. Servers and what stands between close idle ones, and a
request that is under way at that moment is lost without a word; better to be the first to go."""


class State(_Base):
    """What is added to both kinds of urllib3's connections. It is bound to the trace of the request it
    carries by its pool, and unbound when it goes back.
    """

    response_class: Any = HTTPResponse

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.id = next(ids)
        self._chunk = self.blocksize
        self.trace: ClientTrace | None = None
        self.phase = "connect"
        self.sent = False
        self.uses = 0
        self.opened_at = 0.0
        self.idle_since: float | None = None
        self.max_idle = MAX_IDLE
        self.call: OngoingCall | None = None
        self.mark: weakref.ref[Any] | None = None
        """By which its pool knows it."""
        self.dialing = USUAL
        self.upload_timeout: float | None = None
        self.target: str | None = None
        self.peer = ""
        """The address that it goes to; empty when only a proxy knows."""
        self._answering: Any = None
        self._tcp_before: bytes | None = None
        self._is_stamped = False
        self._stamping: Stamping | None = None
        self._poll: select.poll | None = None
        self._ends: tuple[str | None, str | None] | None = None
        """Its addresses, once they were asked for."""
        self._writing = Writing()
        self._begun_answer: HTTPResponse | None = None
        self.begun: Begun | None = None
        """What was done of the next exchange before this connection got it."""
        self._rewritten = b""
        self._handshake: httptrace.TLSHandshakeStartInfo | None = None

    def set_deadline(self, deadline: float | None) -> None:
        """Bound the rest of the exchange; the body too, which may outlive ``self.sock``."""
        set_deadline(self._answering, deadline)

    def _bound(self, seconds: float | None) -> None:
        sock, deadline = self.sock, self.call.deadline if self.call is not None else None
        if isinstance(sock, Bounded):
            sock.bound(seconds, deadline)
        else:
            sock.settimeout(seconds)

    def _meet(self, stage: Stage) -> None:
        """Raise what was raised in this stage."""
        if self.begun is not None and self.begun.stage == stage and self.begun.error is not None:
            raise self.begun.error
