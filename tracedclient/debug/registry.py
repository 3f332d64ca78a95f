"""The updaters of this process: told of a fork, and found by a signal."""

from __future__ import annotations

import functools
import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracedclient.debug.unasked import Unasked
    from tracedclient.debug.updater import FlagUpdater

_updaters: weakref.WeakSet[FlagUpdater] = weakref.WeakSet()
_unasked: weakref.WeakSet[Unasked] = weakref.WeakSet()


def enrol(updater: FlagUpdater) -> None:
    """Have ``updater`` among them, as long as somebody holds it."""
    _updaters.add(updater)


def enrol_unasked(flag: Unasked) -> None:
    """Have ``flag`` found too, by those who ask all."""
    _unasked.add(flag)


def ask_all() -> None:
    """See to it that each flag of this process has its updater."""
    for flag in list(_unasked):
        flag.updater()


def updaters() -> list[FlagUpdater]:
    """Return the updaters of this process that somebody still holds."""
    return list(_updaters)


@functools.cache
def follow_forks() -> None:
    """See to it, once, that each updater of a forked child is told that it is in one."""
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _after_fork_in_child() -> None:
    for updater in updaters():
        updater.after_fork()
