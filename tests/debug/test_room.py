"""The room as a whole: its public names, and what importing it does."""

from __future__ import annotations

import subprocess
import sys

import tracedclient.debug as room


def test_public_names_are_sorted_and_there():
    """``__all__`` is sorted, and every name in it exists."""
    assert sorted(room.__all__) == room.__all__
    assert all(hasattr(room, name) for name in room.__all__)


def test_import_changes_nothing():
    """Importing, and making an updater, start no thread and register no fork hook."""
    script = """
import logging, os, random, threading, weakref, msgspec, datetime, concurrent.futures.thread
registered, register = [], os.register_at_fork
os.register_at_fork = lambda **hooks: (registered.append(hooks), register(**hooks))
from tracedclient.debug import EnvSource, FlagUpdater
flag = FlagUpdater(EnvSource())
mine = lambda: [h for h in registered if "tracedclient" in next(iter(h.values())).__module__]
print(len(mine()), threading.active_count())
flag.is_on(); flag.close(); FlagUpdater(EnvSource()).is_on()
print(len(mine()))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert ran.stdout.split() == ["0", "1", "1"]
