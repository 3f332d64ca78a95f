"""What we write as HAR, read by those who define and use it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from haralyzer import HarParser
from logs_of_traces import KINDS

from tracedclient.cli.convert.har import to_har

VALIDATE = """
const har = require(process.env.HAR_VALIDATOR + "/node_modules/har-validator");
let text = "";
process.stdin.on("data", (piece) => (text += piece)).on("end", () =>
  har.har(JSON.parse(text)).then(
    () => process.exit(0),
    (error) => { console.error(JSON.stringify(error.errors)); process.exit(1); }));
"""


def har(*traces):
    return b"".join(to_har(traces))


def validated(body):
    environment = {"HAR_VALIDATOR": str(Path.cwd() / "har-validator"), **os.environ}
    command = ["node", "-e", VALIDATE]
    return subprocess.run(
        command, input=body, env=environment, capture_output=True, timeout=50, check=False
    )


@pytest.mark.parametrize("kind", [*KINDS, "none", "all"])
def test_the_validator_takes_it(kind):
    """npm's har-validator finds every kind of trace to be HAR 1.2."""
    traces = {**{k: [t] for k, t in KINDS.items()}, "none": [], "all": KINDS.values()}[kind]
    done = validated(har(*traces))
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_validator_can_say_no():
    """The validator refuses what is no HAR: its yes means something."""
    broken = har(*KINDS.values()).replace(b'"cache":{},', b"")
    assert validated(broken).returncode == 1


def test_a_library_reads_it():
    """PyPI's haralyzer finds the calls as pages, the exchanges as entries, and their times."""
    parser = HarParser(json.loads(har(KINDS["retried"], KINDS["redirected"])))
    assert [len(page.entries) for page in parser.pages] == [2, 2]
    first = parser.pages[0].entries[0]
    assert (first.request.method, first.response.status) == ("GET", 503)
    assert first.timings["wait"] == 21.7
