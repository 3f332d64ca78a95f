"""A forked child must not use its parent's sockets.

Two processes that share a kept-alive connection read each other's answers: whole, with status 200,
and wrong. So a child starts with empty pools. Its copies of the sockets are closed without a word
on the wire, which would end the connections for the parent.
"""

from __future__ import annotations

import os
import threading
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class Forgets(Protocol):
    """Something that holds sockets."""

    def after_fork(self) -> None:
        """Forget them: this process is a child, and they are its parent's."""


_holders: weakref.WeakSet[Any] = weakref.WeakSet()
_registering = threading.Lock()
_is_registered = False


def forget_after_fork(holder: Forgets) -> None:
    """Call ``holder.after_fork`` in every child of this process, as long as somebody holds it."""
    global _is_registered  # noqa: PLW0603 - hooks of the interpreter cannot be taken back
    with _registering:
        _holders.add(holder)
        if not _is_registered and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_forget)
            _is_registered = True


def _forget() -> None:
    global _registering  # noqa: PLW0603 - the lock may have been held by a thread that is no more
    _registering = threading.Lock()
    for holder in list(_holders):
        holder.after_fork()


def close_silently(pools: Iterable[Any]) -> None:
    """Close this process's copies of the idle sockets in urllib3's ``pools``.

    Past the queues' locks: a thread that held one at the fork does not exist here.
    """
    for pool in pools:
        for conn in list(getattr(pool.pool, "queue", ())):
            sock = getattr(conn, "sock", None)
            if sock is not None:
                with suppress(OSError):
                    # The file descriptor only: closing an SSLSocket says nothing on the wire either.
                    sock.close()
