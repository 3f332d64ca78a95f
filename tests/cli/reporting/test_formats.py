import base64
import hashlib
import html.parser
import json
import re
from importlib.resources import files

import pytest
from drawing import ASCII, COLOURED, PLAIN, attempt, exchange
from report_logs import call, calls, replaced

from tracedclient.cli.columns import columns
from tracedclient.cli.page import Page
from tracedclient.cli.reporting.as_json import to_json
from tracedclient.cli.reporting.calls import call_of
from tracedclient.cli.reporting.document import to_html
from tracedclient.cli.reporting.markdown import to_markdown
from tracedclient.cli.reporting.statistics import Statistics
from tracedclient.cli.reporting.text import to_text
from tracedclient.trace.model import Connection
from tracedclient.trace.schema import to_json as line_of

HOSTILE = (
    "<script>alert(1)</script>",
    "</title></script><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "]]><!--",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "\x1b[2J\x1b]0;owned\x07",
    "a|b\n# heading\n`code`",
    "&lt;script&gt;",
)


def report(traces, by="host"):
    statistics = Statistics(by)
    for one in traces:
        statistics.add(call_of(line_of(one)))
    statistics.settle()
    statistics.slowest = sorted(traces, key=lambda one: -one.duration_ms)[:20]
    statistics.reading.engine = "Python"
    return statistics


def hostile(said, number=0):
    """A trace that says ``said`` wherever it can."""
    made = exchange(
        number * 1000,
        url=said,
        method=said,
        http_version=said,
        connection=Connection(id=1, reused=False, age_ms=1.0, uses=1, remote=said),
    )
    texts = (
        "trace_id outcome verdict_culprit verdict_sentence service_name http_request_method "
        "url_full server_address error_type error_message slowest_phase host_name"
    )
    one = replaced(call(number), attempts=(attempt(1, made, start=number * 1000, reason=said),))
    return replaced(one, **dict.fromkeys(texts.split(), said))


class Elements(html.parser.HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.seen, self.attributes, self.text = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in {"meta", "input", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text.append(data)


@pytest.mark.parametrize("said", HOSTILE)
def test_no_value_of_a_log_is_html(said):
    """Whatever a log says comes out as text: no element, no attribute, no handler of its own."""
    plain = Elements(to_html(report([hostile("harmless")]), None))
    page = Elements(to_html(report([hostile(said)]), None))
    assert page.seen == plain.seen
    assert [name for name, _ in page.attributes] == [name for name, _ in plain.attributes]
    assert page.open == []
    assert page.seen.count("script") == 1


@pytest.mark.parametrize("said", HOSTILE)
def test_what_a_log_says_is_still_to_be_read(said):
    """It is shown as it is, but for what would steer the reader, which is shown escaped."""
    page = Elements(to_html(report([hostile(said)]), None))
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in said)
    assert shown in "\n".join(page.text)


def test_the_page_asks_nothing_of_any_machine():
    """No address of another resource is in the page, and its policy allows none."""
    page = to_html(report(calls(300)), None)
    names = {name for name, _ in Elements(page).attributes}
    assert not names & {"src", "href", "srcset", "action", "style", "onclick", "xlink:href"}
    assert "url(" not in page
    assert "@import" not in page
    assert re.search(r"Content-Security-Policy\" content=\"default-src &#x27;none&#x27;;", page)


def test_the_policy_knows_the_style_and_the_script_by_their_hashes():
    """The hashes are those of the very text between the tags."""
    page = to_html(report(calls(30)), None)
    for tag in ("style", "script"):
        source = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{tag}-src &#x27;sha256-{digest}&#x27;" in page


def test_the_shell_of_the_page_is_small():
    """Style, script and tables of few hosts are small beside the traces."""
    assert len(to_html(report(calls(300)), None)) - 20 * 8_000 < 300_000


def luminance(colour):
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_the_colours_have_contrast(mode):
    """Text has 4.5 to 1 on both grounds (WCAG 2.2, 1.4.3), bars 3 to 1 where they carry a phase."""
    style = files("tracedclient.cli.reporting").joinpath("report.css").read_text()
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[mode]
    colour = dict(re.findall(r"--(\w+): (#\w+)", block))
    for name in ("ink", "faint", "good", "bad", "accent"):
        for ground in ("ground", "raised"):
            assert contrast(colour[name], colour[ground]) >= 4.5, name
    for name in ("blocked", "dns", "connect", "proxy", "tls", "send", "wait"):
        assert contrast(colour[name], colour["ground"]) >= 3, name


def test_every_chart_has_its_numbers_in_a_table():
    """What is drawn can be read without seeing it, and every table names its rows and columns."""
    page = Elements(to_html(report(calls(300, every_ms=10)), None))
    assert page.attributes.count(("role", "img")) == 2 + 20
    assert page.seen.count("caption") == 4
    scopes = {value for name, value in page.attributes if name == "scope"}
    assert scopes == {"row", "col"}


@pytest.mark.parametrize("said", HOSTILE)
def test_no_value_of_a_log_is_markdown(said):
    """A cell stays one cell on one line, and nothing in it is HTML, a link or code."""
    lines = to_markdown(report([hostile(said)]), None).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    harmless = to_markdown(report([hostile("harmless")]), None).splitlines()
    bars = [re.sub(r"\\.", "", line).count("|") for line in rows]
    assert bars == [line.count("|") for line in harmless if line.startswith("|")]
    assert len(lines) == len(harmless)
    assert not re.search(r"(?<!\\)[<`]", "\n".join(lines))


@pytest.mark.parametrize("said", HOSTILE)
@pytest.mark.parametrize("style", [PLAIN, ASCII], ids=["utf-8", "ascii"])
def test_no_value_of_a_log_steers_the_terminal(said, style):
    """No control character and no character that turns the direction is written."""
    text = to_text(report([hostile(said)]), None, Page(80, style))
    assert all(char.isprintable() for char in text.replace("\n", ""))
    assert text.isascii() or style.unicode


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_text_is_as_wide_as_the_screen(width):
    """No line is wider than the terminal, and what has no room is named."""
    before, after = report(calls(300)), report([*calls(300), call(301, 5000.0, "x" * 300)])
    text = to_text(after, before, Page(width, PLAIN))
    assert max(map(columns, text.splitlines())) <= width
    assert ("not shown for want of columns" in text) == (width < 160)


def test_colour_is_on_request_only():
    """Without colour there is no control sequence at all."""
    both = [to_text(report(calls(30)), None, Page(80, style)) for style in (PLAIN, COLOURED)]
    assert "\x1b[" not in both[0]
    assert "\x1b[1m" in both[1]


def test_json_has_the_numbers_and_leaves_out_what_cannot_be_told():
    """Programs get the same counts, percentiles as numbers, and no percentile of too few calls."""
    found = json.loads(to_json(report(calls(300)), report(calls(60))))
    assert found["schema"] == "tracedclient.report/1"
    assert found["all"]["calls"] == 300
    assert found["all"]["ms"]["duration"]["n"] == 300
    assert {"p50", "p95"} <= set(found["groups"]["api.example.com"]["ms"]["duration"])
    assert "dns" not in found["all"]["ms"]
    assert "p99" not in found["before"]["all"]["ms"]["duration"]
    assert {one["what"] for one in found["differences"]} >= {"errors", "whole call: p95"}
    assert found["slowest"][0]["trace_id"]


@pytest.mark.parametrize("render", [to_html, to_markdown])
def test_a_comparison_comes_first(render):
    """With --compare the differences stand before everything else."""
    text = render(report(calls(300)), report(calls(300)))
    assert text.index("Before and after") < text.index("Whose fault it was")


@pytest.mark.parametrize("render", [to_html, to_markdown, to_json])
def test_impossible_clocks_draw_a_chart_all_the_same(render):
    """Calls of the first and of the last year there is are in one report with those of today."""
    far = [
        replaced(call(n), started_at=f"{year}-12-31T23:59:59.999999Z")
        for n, year in enumerate(("0001", "9999"))
    ]
    assert "9999" in render(report([*calls(30), *far]), None)
