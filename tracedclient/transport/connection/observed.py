"""What a trace is told of a connection: when it is ready, what the kernel saw of it, how it failed."""

from __future__ import annotations

import time
from ssl import SSLError
from typing import TYPE_CHECKING, Any

from tracedclient import httptrace
from tracedclient.redaction import causes
from tracedclient.transport import on_demand
from tracedclient.transport.connection.state import State
from tracedclient.transport.dial import address_text
from tracedclient.transport.failure import WireFacts, attach

if TYPE_CHECKING:
    from tracedclient.httptrace import ClientTrace
    from tracedclient.trace.model import TCP


class Observed(State):
    """A connection that its trace can be told of."""

    def got_conn(self) -> httptrace.GotConnInfo:
        """Return what a trace is told of it when it is ready to be written to."""
        if self._ends is None:
            self._ends = _ends(self.sock)
        local, remote = self._ends
        now = time.monotonic()
        return httptrace.GotConnInfo(
            conn_id=self.id,
            reused=self.uses > 0,
            was_idle=self.idle_since is not None,
            idle_time=None if self.idle_since is None else now - self.idle_since,
            age=now - self.opened_at,
            uses=self.uses,
            local=local,
            remote=remote,
        )

    def watch_kernel(self) -> None:
        """Have the kernel note what it sees from now on."""
        self._tcp_before = before = on_demand.counted.look(self.sock)
        if not self._is_stamped:
            self._is_stamped = on_demand.kernel.enable_timestamps(
                self.sock, is_tcp=before is not None
            )

    def kernel_facts(self, *, sent: int | None = None) -> TCP | None:
        """What the kernel has seen of this exchange; with ``sent``, whether those bytes arrived."""
        counted = on_demand.counted
        before, after = self._tcp_before, counted.look(self._answering)
        if before is None or after is None:
            return None
        return counted.between(before, after, sent=sent)

    def _observation(self) -> dict[str, Any]:
        return {
            "trace": self.trace,
            "reused": self.uses > 1,
            "kernel": self.kernel_facts,
            "written_at": self._writing.at,
            "must_close": self._writing.closes,
        }

    def is_told_of(self, trace: ClientTrace | None, written: int, at: int) -> None:
        """Go on telling ``trace``, which knows already what was written, and when it left."""
        self.trace = trace
        self._writing.bytes, self._writing.at = written, at

    def failed(self, error: BaseException) -> None:
        """Attach what is known to ``error``, which came up in the current phase, and tell of it."""
        if any(
            # One that was not raised by OpenSSL has no reason.
            isinstance(cause, SSLError) and "ALERT" in str(getattr(cause, "reason", ""))
            for cause in causes(error)
        ):
            # TLS 1.3 lets the client finish first: the server's refusal comes while it sends or waits.
            self.phase = "tls"
        facts = WireFacts(self.phase, sent=self.sent, reused=self.uses > 1)
        attach(error, facts)
        if self.trace is not None:
            tcp = self.kernel_facts(sent=self._writing.bytes)
            self.trace.failed(httptrace.FailedInfo(error=error, tcp=tcp, **vars(facts)))


def _ends(sock: Any) -> tuple[str | None, str | None]:
    try:
        return address_text(sock.getsockname()), address_text(sock.getpeername())
    except (AttributeError, OSError, TypeError, IndexError):
        # One of them may still be known: a connection that was reset has no peer any more.
        return _address(sock, "getsockname"), _address(sock, "getpeername")


def _address(sock: Any, which: str) -> str | None:
    try:
        return address_text(getattr(sock, which)())
    except (AttributeError, OSError, TypeError, IndexError):
        return None
