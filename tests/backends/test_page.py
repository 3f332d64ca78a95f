"""A trace of ours on the page of Zipkin's own UI, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.page import choose, opened, text

DOCS = Path(__file__).parents[2] / "docs"
SERVICES = ("shop", "orders", "stock.internal")


@pytest.fixture(scope="module")
def page(zipkin, tmp_path_factory):
    """The page, and the trace that it is about."""
    with opened(zipkin, tmp_path_factory.mktemp("profile")) as found:
        yield found


def test_rows_are_the_tree(page):
    """The UI draws a row for the call, each exchange and each call below, in their order."""
    browser, trace = page
    shown = text(browser).splitlines()
    rows = [line for line in shown if ": " in line and line.split(": ")[0] in SERVICES]
    assert rows[-6:] == [
        "shop: tracedclient.do",
        "orders: get /old",
        "orders: get /orders",
        "orders: tracedclient.do",
        "stock.internal: get",
        "stock.internal: get",
    ]
    assert trace.trace_id in text(browser)


def test_the_attempt_that_failed_says_why(page):
    """A click on the failed attempt shows its status, and how long its server took."""
    browser, _ = page
    choose(browser, "stock.internal: get")
    shown = text(browser)
    assert "error 503" in shown
    assert "tracedclient.phase.wait_ms" in shown


def test_the_picture_of_the_documentation_is_there():
    """docs/zipkin.md shows a picture that is there, and small."""
    assert "(zipkin.png)" in (DOCS / "zipkin.md").read_text()
    assert (DOCS / "zipkin.png").stat().st_size < 200_000
