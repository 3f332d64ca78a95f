"""Rigs, and updaters on them; both are closed at the end of a test."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, closing

import pytest

from sources.rigs import ENTRIES
from sources.watched import Watched
from tracedclient.debug import FlagUpdater

PATIENCE = 20.0


def _rigs(entries):
    marks = {True: [pytest.mark.installed], False: []}
    return [pytest.param(e, id=e.name, marks=marks[e.installed]) for e in entries]


def pytest_generate_tests(metafunc):
    entries = {
        "rig": ENTRIES,
        "served_rig": [entry for entry in ENTRIES if entry.server],
        "shared_rig": [entry for entry in ENTRIES if entry.shared],
    }
    for name, chosen in entries.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, _rigs(chosen), indirect=True)


@pytest.fixture
def rig(request, tmp_path):
    """Every rig in turn."""
    with closing(request.param.load()(tmp_path)) as made:
        yield made


# Those whose server can be down, and those whose documents other processes see.
served_rig = shared_rig = rig


def _eventually(holds, patience=PATIENCE):
    began = time.monotonic()
    nothing = threading.Event()
    while not holds():
        assert time.monotonic() - began < patience, "it never came true"
        nothing.wait(0.002)
    return time.monotonic() - began


@pytest.fixture
def eventually():
    """``eventually(predicate)`` returns the seconds until it held; it fails after twenty."""
    return _eventually


@pytest.fixture
def follow():
    """``follow(rig, …)``: an updater on a new source of ``rig``, and that source, ``Watched``.

    It looks every 0.1 s, follows every change and pauses little after a failure, unless told
    otherwise.
    """
    with ExitStack() as stack:

        def make(rig, **options):
            source = Watched(rig.source())
            options = {"interval": 0.1, "settle": 0, "jitter": lambda: 0.05, **options}
            return stack.enter_context(closing(FlagUpdater(source, **options))), source

        yield make


@pytest.fixture
def lines(caplog):
    """``lines("WARNING")``: what the flag's logger said at that level."""
    caplog.set_level("INFO", logger="tracedclient.debug")

    def at(level):
        records = [r for r in caplog.records if r.name == "tracedclient.debug"]
        return [r.getMessage() for r in records if r.levelname == level]

    return at
