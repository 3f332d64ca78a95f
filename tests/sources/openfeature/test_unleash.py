"""A real Unleash through its OpenFeature provider: what the suite of all sources cannot ask of it."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing

import pytest

from tracedclient.debug import FlagUpdater

pytestmark = pytest.mark.installed

PATIENCE = 30.0


def eventually(holds):
    end = time.monotonic() + PATIENCE
    nothing = threading.Event()
    while not holds():
        assert time.monotonic() < end, "it never came true"
        nothing.wait(0.01)


@pytest.fixture
def unleash(tmp_path):
    # Not above: the library that it needs comes with `tox -e sources`.
    from sources.rigs.openfeature_unleash import UnleashRig

    with closing(UnleashRig(tmp_path)) as made:
        yield made


@pytest.fixture
def flag(unleash):
    updater = FlagUpdater(unleash.source(), interval=0.1, settle=0, jitter=lambda: 0.05)
    with closing(updater):
        assert updater.wait_ready(10)
        yield updater


def test_switch(unleash, flag):
    """The switch alone is a bare ``true``; switched off, the flag is absent."""
    unleash.publish(b"true")
    eventually(flag.is_on)
    unleash.switch_off()
    eventually(lambda: flag.status().state == "ABSENT")


def test_payload(unleash, flag):
    """The payload of the variant is the document, with who, why and until when."""
    until = int(time.time()) + 600
    document = {"schema": 1, "enabled": True, "until": until, "reason": "INC-4711"}
    unleash.publish(json.dumps(document).encode())
    eventually(flag.is_on)
    assert flag.status().until == until


def test_server_dies_and_returns(unleash, flag):
    """While Unleash is away its last flag stays; after it has come back, a change is seen."""
    unleash.publish(b"true")
    eventually(flag.is_on)
    unleash.stop()
    threading.Event().wait(1.5)
    assert flag.is_on()
    unleash.start()
    unleash.switch_off()
    eventually(lambda: not flag.is_on())
