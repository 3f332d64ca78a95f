"""Golden pages. ``UPDATE_GOLDEN=1 pytest tests/cli/logs/test_story.py`` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from drawing import at, attempt, exchange, trace
from logged import ID, app_line, trace_line

from tracedclient.cli.columns import columns
from tracedclient.cli.logs.markdown import markdown
from tracedclient.cli.logs.story import MAX_WATERFALLS, story
from tracedclient.cli.reading.records import understood
from tracedclient.cli.reading.wrapping import Line
from tracedclient.cli.terminal import Style
from tracedclient.testing import make_trace_result
from tracedclient.trace.model import ErrorInfo, Timings

GOLDEN = Path(__file__).parent / "golden"


def entries(*lines, file="app.log"):
    return [understood(Line(0, line.rstrip(b"\n")), file, (ID,)) for line in lines]


STOCK = trace(
    attempt(
        1,
        exchange(
            40,
            url="http://stock.internal/v1",
            duration_ms=30.0,
            ms=Timings(connect=29.0, unaccounted=1.0),
            error=ErrorInfo(type="ConnectTimeout", phase="connect", message="timed out"),
        ),
        start=40,
        duration_ms=30.0,
        error=ErrorInfo(type="ConnectTimeout", phase="connect", message="timed out"),
    ),
    service_name="stock",
    outcome="timeout",
    verdict_culprit="connect",
    verdict_sentence="10.0.0.9:443 did not answer for 29 ms.",
    error_type="ConnectTimeout",
    error_message="timed out",
    url_full="http://db.internal/\x1b[2J",
    server_address="db.internal",
    connect_ms=29.0,
    unaccounted_ms=1.0,
    duration_ms=30.0,
)
ORDERS = trace(
    attempt(
        1,
        exchange(
            0, url="http://stock.internal/v1", duration_ms=100.0, status=502, ms=Timings(wait=99.0)
        ),
        status=502,
    ),
    service_name="orders",
    outcome="http_error",
    verdict_culprit="server",
    verdict_sentence="the server answered 502 after 99 ms",
    url_full="http://stock.internal/v1",
    server_address="stock.internal",
    http_response_status_code=502,
    wait_ms=99.0,
    unaccounted_ms=1.0,
)


def stock():
    import msgspec

    return msgspec.structs.replace(STOCK, started_at=at(40))


LINES = [
    app_line(order_id=841, logger="orders.api"),
    f"2026-11-20 22:27:59,000 ERROR {ID} \x1b]0;owned\x07 gone".encode(),
    app_line("payment.failed", level="error", stamp="2026-11-20T22:27:58.100Z", user="Jürgen"),
]
STORIES = {
    "retried": entries(trace_line(make_trace_result()), *LINES),
    "tree": [
        *entries(trace_line(ORDERS), LINES[0], file="orders.log"),
        *entries(trace_line(stock()), LINES[2], file="stock.log"),
    ],
    "untraced": entries(*LINES),
}
STYLES = {
    "ascii": Style(colour=False, unicode=False),
    "utf8": Style(colour=False, unicode=True),
    "colour": Style(colour=True, unicode=True),
    "ascii-colour": Style(colour=True, unicode=False),
}


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", STORIES)
def test_the_page_is_the_golden_one(name, style, width):
    """The page about a trace, a tree of services, and lines without a trace is as it was approved."""
    text = story(ID, STORIES[name], width=width, style=STYLES[style])
    path = GOLDEN / f"{name}-{width}-{style}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(f"{text}\n", encoding="utf-8")
    assert f"{text}\n" == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 60, 80, 160])
@pytest.mark.parametrize("name", STORIES)
def test_no_line_runs_over_the_edge(name, width):
    """Every line fits the terminal, and nothing from a log can steer it."""
    for style in (STYLES["ascii"], STYLES["utf8"]):
        text = story(ID, STORIES[name], width=width, style=style)
        assert max(map(columns, text.split("\n"))) <= width
        assert "\x1b" not in text
        assert "\x07" not in text
        assert style.unicode or text.isascii()


def called(number, parent=None, **fields):
    """A call with the span ``s<number>``, made for the span ``parent``."""
    import msgspec

    sent = exchange(number, url="http://10.0.0.7/", duration_ms=50.0, span_id=f"s{number}")
    made = trace(attempt(1, sent, start=number), service_name="s", parent_span_id=parent, **fields)
    return msgspec.structs.replace(made, started_at=at(number))


@pytest.mark.parametrize(
    ("style", "branches"),
    [
        ("utf8", ["", "├ ", "│ ├ ", "│ └ ", "└ ", "  └ ", ""]),
        ("ascii", ["", "+ ", "| + ", "| \\ ", "\\ ", "  \\ ", ""]),
    ],
)
def test_branches_lead_from_each_call_to_its_caller(style, branches):
    """Brothers hang on one line, which goes past what hangs on the elder of them."""
    parents = [None, "s0", "s1", "s1", "s0", "s4", None]
    made = [called(number, parent) for number, parent in enumerate(parents)]
    text = story(ID, entries(*map(trace_line, made)), width=80, style=STYLES[style])
    labels = text.split("\n\n")[1].split("\n")[1:8]
    assert [label[: label.index("[")] for label in labels] == branches


def test_how_it_is_known_who_called_whom_is_said():
    """What spans' ids say needs no words but for the attempt of several; a guess is called one."""
    import msgspec

    first, second = (
        attempt(n, exchange(0, url="http://10.0.0.7/", span_id=f"a{n}"), duration_ms=100.0)
        for n in (1, 2)
    )
    shop = trace(first, second, service_name="shop")
    worker = called(1, "a2")
    guess = msgspec.structs.replace(called(2), service_name="other", duration_ms=20.0)

    def links(*made):
        text = story(ID, entries(*map(trace_line, made)), width=160, style=STYLES["utf8"])
        return text.split("\n\n")[1].split("\n")[-1].strip()

    assert links(shop, worker) == "[2] for attempt 2 of [1] · known from the ids of spans"
    assert links(called(1), called(2, "s1")) == "known from the ids of spans"
    assert links(shop, worker, guess) == (
        "[2] for attempt 2 of [1] · [3] within attempt 1 of [2], by time · "
        "the others known from the ids of spans"
    )
    assert links(called(1), called(2)) == "none of them is known to be made for another"


def test_a_port_of_its_own_tells_services_apart():
    """A call's server is shown with its port, unless that is the scheme's."""
    ports = enumerate([None, 80, 443, 8080])
    made = [called(n, server_address="10.0.0.7", server_port=port) for n, port in ports]
    text = story(ID, entries(*map(trace_line, made)), width=80, style=STYLES["utf8"])
    shown = [line.split("│")[0] for line in text.split("\n\n")[1].split("\n")[1:5]]
    assert [line.split()[3] for line in shown] == ["10.0.0.7"] * 3 + ["10.0.0.7:8080"]


def test_a_chain_without_end_is_drawn():
    """Calls deeper than the page is wide still have their line each."""
    made = [called(n, f"s{n - 1}") for n in range(300)]
    text = story(ID, entries(*map(trace_line, made)), width=80, style=STYLES["utf8"])
    assert max(map(columns, text.split("\n"))) <= 80
    assert "300 calls by 1 service" in text


@pytest.mark.parametrize("name", STORIES)
def test_the_first_two_lines_say_what_happened_and_whose_fault_it_was(name):
    """The first line has the outcome, the second the fault."""
    first, second, *_ = story(ID, STORIES[name], width=80, style=STYLES["utf8"]).split("\n")
    assert first.startswith({"retried": "OK after", "tree": "FAILED", "untraced": "NO TRACE"}[name])
    assert second.startswith(
        {
            "retried": "no fault found",
            "tree": "fault: connect, of stock [2]. 10.0.0.9:443 did not answer",
            "untraced": "fault: unknown",
        }[name]
    )


def test_markdown_cannot_be_broken_out_of():
    """Backticks in a log line do not end the block that they are shown in."""
    lines = [*LINES, f"```` {ID} </pre> **bold**".encode()]
    text = markdown(ID, entries(*lines), STYLES["utf8"])
    fence = text.split("\n")[2].removesuffix("text")
    assert fence == "`````"
    assert text.count(fence) == 2
    assert text.endswith(f"\n{fence}")


def test_of_many_calls_the_most_telling_are_drawn():
    """Of a hundred calls the failed and the longest are drawn, and how many are not is said."""
    many = [
        trace_line(make_trace_result(started_at=at(number * 1000), duration_ms=float(number)))
        for number in range(99)
    ]
    text = story(ID, entries(*many, trace_line(stock())), width=80, style=STYLES["utf8"])
    assert text.startswith("FAILED  100 calls by 2 services  1 failed")
    assert f"{100 - MAX_WATERFALLS} calls not drawn; --json has all" in text
    assert "[100] orders" in text
    assert "did not answer for 29 ms" in text


def test_of_many_lines_the_first_are_shown():
    """A thousand lines are shown, and how many more there are is said."""
    text = story(ID, entries(*[LINES[0]] * 1010), width=80, style=STYLES["utf8"])
    assert text.endswith("10 lines more; --raw has all")
    long = story(ID, entries(b"x" * 100_000), width=80, style=STYLES["utf8"])
    assert len(long) < 3000
