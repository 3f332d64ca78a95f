"""A real browser without a window, which asks nothing of the network by itself."""

from __future__ import annotations

import shutil
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1400",
)


@contextmanager
def chromium(profile, mode="light"):
    """A browser with the empty directory ``profile`` as its own, in ``light`` or ``dark`` mode."""
    options = webdriver.ChromeOptions()
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Selenium would download a driver where it finds none: here it has to be installed.
    service = Service(shutil.which("chromedriver") or "chromedriver is not installed")
    browser = webdriver.Chrome(options=options, service=service)
    try:
        features = [{"name": "prefers-color-scheme", "value": mode}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        yield browser
    finally:
        browser.quit()
