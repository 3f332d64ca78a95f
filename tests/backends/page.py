"""A trace on the page of Zipkin's own UI. To take the picture in docs/ again:

tox exec -e backends -- python -m backends.page docs/zipkin.png
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from browser.chromium import chromium
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from backends.reporting import reporting
from backends.zipkin import Zipkin

SPANS = 8


@contextmanager
def opened(zipkin, profile):
    """A browser that shows a call of the company's, all of its spans, and the call's trace."""
    trace = _call(zipkin)
    zipkin.spans(trace.trace_id, SPANS)
    with chromium(profile) as browser:
        browser.set_window_size(1400, 900)
        browser.get(f"{zipkin.url}/zipkin/traces/{trace.trace_id}")
        WebDriverWait(browser, 20).until(lambda _: "tracedclient.do" in text(browser))
        yield browser, trace


def _call(zipkin):
    # The first one waits for Zipkin's first batch, which its own library posts while it serves.
    for _ in range(2):
        with reporting(zipkin, stock_takes=0.02) as (client, orders_url):
            trace = client.get(f"{orders_url}/old").trace
    return trace


def choose(browser, row, number=0):
    """Have the page tell about a span, by what its row says."""
    browser.find_elements(By.XPATH, f"//*[text()='{row}']")[number].click()


def text(browser):
    """What there is to read on the page."""
    return browser.find_element(By.TAG_NAME, "body").text


def main(target):
    """Write the picture."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Zipkin(Path(directory)) as zipkin,
        opened(zipkin, Path(directory, "profile")) as (browser, _),
    ):
        choose(browser, "stock.internal: get")
        WebDriverWait(browser, 20).until(lambda _: "http.status_code" in text(browser))
        tags = browser.find_element(By.XPATH, "//*[text()='Tags']")
        browser.execute_script("arguments[0].scrollIntoView()", tags)
        Path(target).write_bytes(browser.get_screenshot_as_png())


if __name__ == "__main__":
    main(*sys.argv[1:])
