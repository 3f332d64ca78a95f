"""``Unasked``: the flag of a client that was made with ``debug=False``.

What could still switch it on is the rest of this room, the document's decoder included: it is
loaded when somebody asks for ``client.debug``, or for a signal.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tracedclient.debug.registry import enrol_unasked

if TYPE_CHECKING:
    from tracedclient.debug.updater import FlagUpdater
    from tracedclient.trace.decision import Decision

VARIABLE = "TRACEDCLIENT_TRACE"


def is_overridden_from_outside() -> bool:
    """Whether the environment has something to say of every flag."""
    return bool(os.environ.get(VARIABLE, "").strip())


class Unasked:
    """Answers as a ``FlagUpdater`` of ``StaticFlag(False)`` does, and becomes one when need be."""

    def __init__(self) -> None:
        self._updater: FlagUpdater | None = None
        self._is_closed = False
        enrol_unasked(self)

    def updater(self) -> FlagUpdater:
        """Return the updater that this is from now on. Takes no lock: signal handlers ask too."""
        if self._updater is None:
            # Not before: see above.
            from tracedclient.debug.sources.static import StaticFlag  # noqa: PLC0415
            from tracedclient.debug.updater import FlagUpdater  # noqa: PLC0415

            made = FlagUpdater(StaticFlag(False))
            if self._is_closed:
                made.close()
            # Of several threads, the first: an override of its updater must not be lost.
            made = vars(self).setdefault("_made", made)
            self._updater = made
        return self._updater

    def is_quiet(self) -> bool:
        """See ``FlagUpdater.is_quiet``."""
        return self._updater is None or self._updater.is_quiet()

    def decide(self, method: str, host: str, path: str, trace_id: str) -> Decision | None:
        """See ``FlagUpdater.decide``."""
        return self.updater().decide(method, host, path, trace_id)

    def admit(self, decision: Decision) -> bool:
        """See ``FlagUpdater.admit``: what code decided is not counted."""
        return self._updater is None or self._updater.admit(decision)

    def close(self) -> None:
        """See ``FlagUpdater.close``."""
        self._is_closed = True
        if self._updater is not None:
            self._updater.close()
