"""Whether a connection may carry another request, and for how long it may wait for one."""

from __future__ import annotations

import re
import select
import time

from tracedclient._pattern import pattern
from tracedclient.transport.bounded import Bounded, set_deadline
from tracedclient.transport.connection.observed import Observed
from tracedclient.transport.connection.state import MAX_IDLE

_KEEP_ALIVE_TIMEOUT = pattern(r"timeout\s*=\s*([0-9]{1,9})", re.ASCII | re.IGNORECASE)


class Kept(Observed):
    """A connection that lies in a pool between requests."""

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, and nothing lies on it to be read: its end neither."""
        if self.sock is None or not hasattr(select, "poll"):
            return super().is_connected
        if self._poll is None:
            # Kept: to make one and to register the socket takes longer than to ask it.
            self._poll = select.poll()
            self._poll.register(self.sock, select.POLLIN)
        return not self._poll.poll(0)

    def is_ready(self) -> bool:
        """Whether it can carry a request at once: open, well, and not idle for too long; or closed, as
        its last answer wanted it, so that it connects anew.
        """
        if self.sock is None:
            return self.idle_since is None
        if self._poll is None or self.idle_since is None:
            return False
        # Ended by its peer, or about to be.
        return not self._poll.poll(0) and time.monotonic() - self.idle_since <= self.max_idle

    @property
    def may_be_used_plainly(self) -> bool:
        """Whether nothing about it calls for urllib3's own words, or http.client's."""
        return self.sock is not None and self.debuglevel == 0

    def rest(self) -> None:
        """Be nobody's until the next request."""
        self.trace = self.call = None
        answering = self._answering
        if isinstance(answering, Bounded):
            answering.deadline = None
        else:
            set_deadline(answering, None)
        self.idle_since = None if self.sock is None else time.monotonic()

    def learn_idle_time(self, keep_alive: str | None) -> None:
        """Take the server's word on when it will close this connection, and be earlier."""
        match = _KEEP_ALIVE_TIMEOUT.search(keep_alive) if keep_alive else None
        if match is not None:
            self.max_idle = min(MAX_IDLE, max(0.0, int(match[1]) - 1.0))
