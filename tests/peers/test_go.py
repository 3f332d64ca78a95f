"""Go's ``net/http`` and we, side by side: the same servers, the same hooks, the same arguments.

Not part of the usual run, for it needs Go: ``tox -e go``, or ``pytest tests/peers``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from peers.differences import DIFFERENCES, EVERYWHERE, alike
from peers.events import told_by_go, told_by_us
from peers.scenarios import SCENARIOS, Stage

# The first build compiles Go's standard library.
pytestmark = pytest.mark.timeout(300)

SOURCE = Path(__file__).parent / "go"


@pytest.fixture(scope="session")
def peer(tmp_path_factory):
    """Path of the Go program, built from its source with nothing but the standard library."""
    go = shutil.which("go")
    if go is None:
        pytest.fail("this comparison needs Go: put the command `go` on the PATH")
    program = str(tmp_path_factory.mktemp("peer") / "peer")
    # Without cgo the resolver is Go's own; offline, nothing can be fetched behind our back.
    environment = {"CGO_ENABLED": "0", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": ""}
    built = subprocess.run(
        [go, "build", "-o", program, "."],
        check=False,
        cwd=SOURCE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    return program


@pytest.fixture(scope="session")
def told(peer, server_context, ca_file):
    """``told(scenario)``: what Go and what we tell of it, each asked once with its own servers."""
    known = {}

    def tell(scenario):
        if scenario not in known:
            with ExitStack() as stack:
                stage = Stage(stack.enter_context, server_context, ca_file)
                known[scenario] = (
                    told_by_go(peer, SCENARIOS[scenario](stage)),
                    told_by_us(SCENARIOS[scenario](stage)),
                )
        return known[scenario]

    return tell


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_outcome(told, scenario):
    """Both get the same status, or both fail."""
    go, ours = told(scenario)

    assert ours.status == go.status


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_same_hooks(told, scenario):
    """Both call the same hooks in the same order with the same arguments, but for what is listed."""
    go, ours = told(scenario)

    assert alike(scenario, ours.events, DIFFERENCES) == alike(scenario, go.events, DIFFERENCES)


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda each: f"{each.hook}: {each.go}")
def test_every_difference_is_one(told, difference):
    """A listed difference that no scenario shows any more is to be taken off the list."""
    others = [each for each in DIFFERENCES if each is not difference]
    where = SCENARIOS if EVERYWHERE in difference.where else difference.where

    assert set(where) <= SCENARIOS.keys()
    if difference.is_steady:
        assert any(
            alike(name, told(name)[0].events, others) != alike(name, told(name)[1].events, others)
            for name in where
        )


def test_the_comparison_sees_a_difference(told):
    """Two situations that are not alike do not pass for each other."""
    new, reused = told("literal address"), told("reused")

    assert alike("reused", reused[1].events, DIFFERENCES) != alike(
        "reused", new[0].events, DIFFERENCES
    )
