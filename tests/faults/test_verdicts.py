"""Each fault of docs/verdict.md, on real sockets: its culprit and its sentence are those of the page."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from faults.verdict_lab import FAULTS, Lab

# Each registers its faults.
for cases in ("", "_between", "_policy", "_together"):
    import_module(f"faults.verdict_cases{cases}")
PAGE = (Path(__file__).parent.parent.parent / "docs" / "verdict.md").read_text()
ROWS = {
    name: (culprit, sentence)
    for name, culprit, sentence in re.findall(
        r"^\| (.+?) \| `(\w+)` \| (.*?) ?\|$", PAGE, re.MULTILINE
    )
}
TRIES = 3
"""A machine that stalls is a fault of its own, which a verdict rightly tells; it is not the one provoked."""
NUMBER = re.compile(r"\d+(?:\.\d+)*(?::\d+)?(?: m?s\b|%)?")
# One OpenSSL calls it so, another one otherwise.
REASON = re.compile(r"\b[A-Z0-9_]*(?:ALERT|VERSION)_[A-Z0-9_]*\b")


@pytest.fixture
def lab(make_client, start, resolver, server_context, expired_context, ca_file, black_hole):
    return Lab(make_client, start, resolver, server_context, expired_context, ca_file, black_hole)


def masked(sentence):
    """A sentence without what another run, or another OpenSSL, says otherwise."""
    return NUMBER.sub("#", REASON.sub("REFUSED", sentence))


def without_the_machine(trace):
    """The sentence without what this machine's resolv.conf adds to it."""
    said = trace.verdict_sentence or ""
    for attempt in trace.attempts:
        for exchange in attempt.exchanges:
            if exchange.dns and exchange.dns.resolver and exchange.dns.resolver.explanation:
                said = said.replace(f"; {exchange.dns.resolver.explanation}", "")
    return said


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_the_verdict_that_the_page_says(lab, name):
    """The fault is provoked: culprit and sentence, but for the numbers, are the page's."""
    culprit, sentence = ROWS[name]
    for _ in range(TRIES):
        trace = FAULTS[name](lab)
        said = without_the_machine(trace)
        print(f"| {name} | `{trace.verdict_culprit}` | {said} |")
        if (trace.verdict_culprit, masked(said)) == (culprit, masked(sentence)):
            break
    assert trace.verdict_culprit == culprit
    assert masked(said) == masked(sentence)


def test_every_fault_has_its_row():
    """The page has a row for each fault that is provoked here, and no other."""
    assert list(ROWS) == list(FAULTS)
