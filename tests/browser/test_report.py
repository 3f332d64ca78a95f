"""The page of ``tracedclient report`` in a real browser: it opens, filters, expands, sorts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser.chromium import chromium
from report_logs import HOSTS, call, calls, replaced, write
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tracedclient.cli import main

EVIL = "</script><script>window.owned = 1</script><img src=x onerror='window.owned = 1'>"


def page(directory, traces, *argv):
    log = write(directory / "app.log", traces)
    assert main(["report", log, "-o", str(directory / "report.html"), *argv]) == 0
    return (directory / "report.html").as_uri()


@pytest.fixture(scope="module", params=["light", "dark"])
def browser(request, tmp_path_factory):
    """A page of 300 calls of three hosts, in either mode; every test loads it anew."""
    with chromium(tmp_path_factory.mktemp("profile"), request.param) as found:
        found.mode = request.param
        found.page = page(tmp_path_factory.mktemp("log"), calls(300, every_ms=20))
        yield found


@pytest.fixture
def opened(browser):
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(browser.page)
    return browser


def shown(browser):
    return [one for one in browser.find_elements(By.CSS_SELECTOR, ".trace") if one.is_displayed()]


def choose(browser, name, value):
    Select(browser.find_element(By.CSS_SELECTOR, f"[data-filter={name}]")).select_by_value(value)


def count(browser):
    return browser.find_element(By.ID, "count").text


def test_the_page_opens_without_a_word_of_complaint(opened):
    """No error, no violation of its policy, and no request but for the page itself."""
    assert "2026-11-20" in opened.title
    assert opened.get_log("browser") == []
    messages = [json.loads(one["message"])["message"] for one in opened.get_log("performance")]
    asked = [
        one["params"]["request"]["url"]
        for one in messages
        if one["method"] == "Network.requestWillBeSent"
    ]
    assert asked == [opened.page]


def test_it_follows_the_mode_of_the_system(opened):
    """Dark ink on a light ground, or the other way round."""
    script = "return getComputedStyle(document.body).backgroundColor"
    ground = {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[opened.mode]
    assert opened.execute_script(script) == ground


def test_filters_narrow_what_is_shown(opened):
    """Each filter leaves the traces that it names, together they leave those that all name."""
    total = len(shown(opened))
    assert count(opened) == f"{total} of {total}"
    choose(opened, "host", HOSTS[1])
    by_host = shown(opened)
    assert 0 < len(by_host) < total
    assert {one.get_attribute("data-host") for one in by_host} == {HOSTS[1]}
    choose(opened, "outcome", "timeout")
    both = shown(opened)
    assert 0 < len(both) < len(by_host)
    assert {one.get_attribute("data-verdict") for one in both} == {"server"}
    assert count(opened) == f"{len(both)} of {total}"
    choose(opened, "host", "")
    choose(opened, "outcome", "")
    assert len(shown(opened)) == total


def test_a_trace_is_found_by_a_part_of_its_id(opened):
    """Typing narrows the list; what is nowhere leaves nothing."""
    trace_id = shown(opened)[3].find_element(By.CSS_SELECTOR, ".id").text.split()[-1]
    search = opened.find_element(By.ID, "search")
    search.send_keys(trace_id[4:].upper())
    assert [trace_id in one.text for one in shown(opened)] == [True]
    search.send_keys("zzz")
    assert shown(opened) == []


def test_a_trace_opens_and_has_its_waterfall(opened):
    """A click shows whose fault it was, the bars, and the numbers in a table; another hides them."""
    first = shown(opened)[0]
    bars = first.find_element(By.CSS_SELECTOR, "svg.waterfall")
    assert not bars.is_displayed()
    first.find_element(By.TAG_NAME, "summary").click()
    assert bars.is_displayed()
    wait = bars.find_element(By.CSS_SELECTOR, "rect.wait")
    assert wait.rect["width"] > bars.rect["width"] / 2
    assert "wait" in first.find_element(By.TAG_NAME, "table").text
    first.find_element(By.TAG_NAME, "summary").click()
    assert not bars.is_displayed()


def test_all_that_are_shown_open_at_once(opened):
    """open all leaves alone what the filters hide."""
    choose(opened, "outcome", "timeout")
    opened.find_element(By.ID, "open").click()
    choose(opened, "outcome", "")
    is_open = {
        (one.get_attribute("data-outcome"), one.get_attribute("open") is not None)
        for one in shown(opened)
    }
    assert is_open == {("timeout", True), ("ok", False)}
    opened.find_element(By.ID, "close").click()
    assert not any(one.get_attribute("open") for one in shown(opened))


def test_tables_sort_by_the_number_and_not_by_its_text(opened):
    """A click on a head sorts by it, the largest first; another the other way round."""
    table = opened.find_element(By.XPATH, "//section[h2='By host']//table")
    head = next(one for one in table.find_elements(By.CSS_SELECTOR, "th") if one.text == "p95")
    column = table.find_elements(By.CSS_SELECTOR, "thead th").index(head)

    def values():
        cells = table.find_elements(By.CSS_SELECTOR, f"tbody td:nth-child({column + 1})")
        return [float(cell.get_attribute("data-value")) for cell in cells]

    head.find_element(By.TAG_NAME, "button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert values() == sorted(values(), reverse=True)
    head.find_element(By.TAG_NAME, "button").click()
    assert values() == sorted(values())


def test_it_is_used_by_keyboard_alone(opened):
    """The first trace opens by the keyboard, and what has the focus is a summary."""
    summary = shown(opened)[0].find_element(By.TAG_NAME, "summary")
    summary.send_keys("\n")
    assert shown(opened)[0].get_attribute("open") is not None
    assert opened.switch_to.active_element == summary


def test_nothing_is_wider_than_the_window(opened):
    """Wide tables scroll by themselves; the page does not, on a telephone either."""
    for width in (1200, 500):
        opened.set_window_size(width, 1400)
        wide = opened.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wide == 0
    opened.set_window_size(1200, 1400)


def test_in_print_there_are_no_controls(opened):
    """Paper has no use for filters and buttons."""
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not opened.find_element(By.ID, "controls").is_displayed()
    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": "", "features": [{"name": "prefers-color-scheme", "value": opened.mode}]},
    )


def test_a_script_from_a_log_does_not_run(browser, tmp_path):
    """A hostile URL, host, verdict and id are text; opened and filtered, nothing of them has run."""
    evil = [
        replaced(call(n), url_full=EVIL, server_address=EVIL, outcome=EVIL, trace_id=EVIL,
                 verdict_culprit=EVIL, verdict_sentence=EVIL, slowest_phase=EVIL)
        for n in range(30)
    ]  # fmt: skip
    browser.get_log("browser")
    browser.get(page(tmp_path, [*calls(100), *evil]))
    choose(browser, "host", EVIL)
    browser.find_element(By.ID, "open").click()
    assert len(shown(browser)) == 30
    assert EVIL in shown(browser)[0].text
    assert browser.execute_script("return window.owned") is None
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert browser.get_log("browser") == []


def test_a_comparison_is_on_the_page(browser, tmp_path):
    """With --compare the differences are its first table."""
    before = tmp_path / "before.log"
    write(before, [call(n, 10.0) for n in range(100)])
    browser.get(page(tmp_path, calls(100), "--compare", str(before)))
    first = browser.find_element(By.TAG_NAME, "table")
    assert "errors" in first.text
    assert "rose from none" in first.text


def test_the_screenshot_of_the_documentation_is_of_this_page():
    """docs/report.md shows a picture that is there, and small."""
    docs = Path(__file__).parents[2] / "docs"
    assert "(report.png)" in (docs / "report.md").read_text()
    assert (docs / "report.png").stat().st_size < 200_000
