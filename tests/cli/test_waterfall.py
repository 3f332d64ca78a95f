import re

import msgspec
import pytest
from drawing import ASCII, COLOURED, PLAIN, at, attempt, exchange, trace

from tracedclient.cli.bars import GLYPHS
from tracedclient.cli.waterfall import render
from tracedclient.trace.model import (
    DNS,
    PHASES,
    TLS,
    Connect,
    Connection,
    ErrorInfo,
    Event,
    Timings,
)

FRESH = exchange(
    duration_ms=63.0,
    status=503,
    ms=Timings(dns=2.1, connect=7.9, tls=15.0, send=0.06, wait=33.4, receive=4.2, unaccounted=0.3),
    dns=DNS(host="api.example.com", addrs=("2001:db8::7", "10.12.3.9")),
    connects=(
        Connect(addr="[2001:db8::7]:443", ms=4.0, error="ENETUNREACH: Network is unreachable"),
        Connect(addr="10.12.3.9:443", ms=3.9),
    ),
    tls=(TLS(server_name="api.example.com", version="TLSv1.3", not_after="2027-03-01T12:00:00Z"),),
    connection=Connection(id=7, reused=False, age_ms=0, uses=0, remote="10.12.3.9:443"),
    bytes_sent=181,
    bytes_received=4123,
    body_complete=True,
)
REUSED = exchange(
    163.0,
    duration_ms=40.0,
    status=302,
    ms=Timings(send=0.1, wait=39.0, receive=0.2, unaccounted=0.7),
    connection=Connection(
        id=7, reused=True, age_ms=163, uses=1, idle_ms=100.0, remote="10.12.3.9:443"
    ),
    bytes_sent=181,
    bytes_received=0,
)
REDIRECTED = exchange(
    203.0,
    url="https://api.example.com/v2/orders?full=REDACTED",
    duration_ms=114.0,
    status=200,
    ms=Timings(send=0.1, wait=67.0, receive=46.9),
    connection=Connection(
        id=7, reused=True, age_ms=203, uses=2, idle_ms=0.04, remote="10.12.3.9:443"
    ),
    bytes_received=1_260_000,
)
RETRIED = trace(
    attempt(
        1, FRESH, duration_ms=63.0, status=503, retry=True, reason="status 503", sleep_ms=100.0
    ),
    attempt(2, REUSED, REDIRECTED, start=163.0, duration_ms=154.0, status=200),
    http_response_status_code=200,
    duration_ms=317.0,
    redirect_count=1,
    wait_ms=139.4,
    slowest_phase="wait",
    service_name="orders",
)

UNRESOLVED = trace(
    attempt(
        1,
        exchange(
            duration_ms=12.4,
            url="http://nowhere.invalid/",
            ms=Timings(dns=12.0, unaccounted=0.4),
            dns=DNS(host="nowhere.invalid", error="EAI_NONAME: Name or service not known"),
            error=ErrorInfo(
                type="NameResolutionError",
                phase="dns",
                message="EAI_NONAME: Name or service not known",
            ),
        ),
        duration_ms=12.4,
        error=ErrorInfo(type="ConnectionError", phase="dns"),
        reason="the name may never exist",
    ),
    outcome="dns_error",
    verdict_culprit="dns",
    verdict_sentence="DNS gave no address for nowhere.invalid: EAI_NONAME",
    url_full="http://nowhere.invalid/",
    error_type="ConnectionError",
    error_phase="dns",
    error_message="EAI_NONAME",
    duration_ms=12.4,
)

LATE_TLS = exchange(
    duration_ms=100.0,
    status=200,
    ms=Timings(connect=10.0, tls=30.0, wait=10.0, receive=10.0, unaccounted=40.0),
    events=tuple(
        Event(event=hook, at=at(ms))
        for hook, ms in (
            ("connect_start", 0.0),
            ("tls_handshake_start", 50.0),
            ("wrote_request", 80.0),
            ("body_done", 100.0),
        )
    ),
)

ALL_PHASES = Timings(
    blocked=10, dns=10, connect=10, proxy=10, tls=10, send=10, wait=20, receive=10, unaccounted=10
)


def test_a_retried_and_redirected_call_at_80_columns():
    """The whole story of two attempts, a sleep and a redirect on one screen of 80 columns."""
    assert render(RETRIED, width=80, style=PLAIN).splitlines() == [
        "OK after 1 retry  GET https://api.example.…  200  317 ms  2 attempts  1 redirect",
        "no fault found; attempt 1: status 503; longest: wait, 139 ms",
        "",
        "              0                                           317 ms",
        "#1 GET 503   │dctts████▒                                        │ 63.0 ms new",
        "   sleep     │         zzzzzzzzzzzzzzzz                         │  100 ms",
        "#2 GET 302   │                         s████▒                   │ 40.0 ms reused",
        "#2 → GET 200 │                                s██████████▒▒▒▒▒▒▒│  114 ms reused",
        "  d dns  c connect  t tls  s send  █ wait  ▒ receive  z sleep",
        "",
        "#1   GET https://api.example.com/v1/orders?full=REDACTED",
        "     dns 2.1 ms (api.example.com: 2001:db8::7, 10.12.3.9)",
        "     connect 7.9 ms ([2001:db8::7]:443 ENETUNREACH: Network is unreachable after",
        "       4.0 ms, 10.12.3.9:443 ok after 3.9 ms)",
        "     tls 15.0 ms (TLSv1.3, certificate until 2027-03-01, 100 days left)",
        "     send 0.06 ms (181 B) · wait 33.4 ms · receive 4.2 ms (4.1 kB)",
        "     new connection to 10.12.3.9:443",
        "     tried again after 100 ms: status 503",
        "#2   send 0.1 ms (181 B) · wait 39.0 ms · receive 0.2 ms (0 B)",
        "     reused connection (request 2, idle 100 ms) to 10.12.3.9:443",
        "#2→  GET https://api.example.com/v2/orders?full=REDACTED · send 0.1 ms",
        "     wait 67.0 ms · receive 46.9 ms (1.3 MB)",
        "     reused connection (request 3, idle 0.04 ms) to 10.12.3.9:443",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 · 2026-11-20T22:27:58.009Z",
        "service orders",
    ]


def test_a_retried_and_redirected_call_in_ascii_at_160_columns():
    """Without Unicode the same story in letters, and a wide terminal gives longer bars."""
    assert render(RETRIED, width=160, style=ASCII).splitlines() == [
        "OK after 1 retry  GET https://api.example.com/v1/orders?full=REDACTED  200  317 ms  2 attempts  1 redirect",
        "no fault found; attempt 1: status 503; longest: wait, 139 ms",
        "",
        "              0                                                                                                                           317 ms",
        "#1 GET 503   |dccctttttts##############=                                                                                                        | 63.0 ms new",
        "   sleep     |                         zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz                                                                |  100 ms",
        "#2 GET 302   |                                                                  s##############=                                                | 40.0 ms reused",
        "#2 > GET 200 |                                                                                   s###########################===================|  114 ms reused",
        "  d dns  c connect  t tls  s send  # wait  = receive  z sleep",
        "",
        "#1   dns 2.1 ms (api.example.com: 2001:db8::7, 10.12.3.9)",
        "     connect 7.9 ms ([2001:db8::7]:443 ENETUNREACH: Network is unreachable after 4.0 ms, 10.12.3.9:443 ok after 3.9 ms)",
        "     tls 15.0 ms (TLSv1.3, certificate until 2027-03-01, 100 days left); send 0.06 ms (181 B); wait 33.4 ms; receive 4.2 ms (4.1 kB)",
        "     new connection to 10.12.3.9:443",
        "     tried again after 100 ms: status 503",
        "#2   send 0.1 ms (181 B); wait 39.0 ms; receive 0.2 ms (0 B); reused connection (request 2, idle 100 ms) to 10.12.3.9:443",
        "#2>  GET https://api.example.com/v2/orders?full=REDACTED; send 0.1 ms; wait 67.0 ms; receive 46.9 ms (1.3 MB)",
        "     reused connection (request 3, idle 0.04 ms) to 10.12.3.9:443",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736; 2026-11-20T22:27:58.009Z; service orders",
    ]


def test_a_name_that_does_not_resolve():
    """A failure says whose fault it was, marks where the bar broke off, and says each thing once."""
    assert render(UNRESOLVED, width=80, style=PLAIN).splitlines() == [
        "DNS ERROR  GET http://nowhere.invalid/  12.4 ms  1 attempt",
        "fault: dns. DNS gave no address for nowhere.invalid: EAI_NONAME",
        "",
        "               0                                                12.4 ms",
        "#1 GET failed │ddddddddddddddddddddddddddddddddddddddddddddddddddddd✗··│ 12.4 ms",
        "  d dns  · unaccounted  ✗ failed",
        "",
        "#1   dns 12.0 ms (nowhere.invalid: EAI_NONAME: Name or service not known)",
        "     failed in dns: NameResolutionError",
        "     not tried again: the name may never exist",
        "raised ConnectionError",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 · 2026-11-20T22:27:58.009Z",
    ]


def test_every_phase_can_be_told_from_the_others():
    """A bar with all phases shows each one's own character, and the legend names them all."""
    result = trace(attempt(1, exchange(status=200, ms=ALL_PHASES)))
    for style, border in ((PLAIN, "│"), (ASCII, "|")):
        lines = render(result, width=80, style=style).splitlines()
        glyphs = [glyph.unicode if style.unicode else glyph.ascii for glyph in GLYPHS.values()]
        _, bar, _ = next(line for line in lines if border in line).split(border)
        assert list(dict.fromkeys(bar)) == glyphs[: len(PHASES) + 1]
        for phase in (*PHASES, "unaccounted"):
            assert f" {phase}" in " ".join(lines[4:7])


def test_time_that_no_phase_claims_is_drawn_where_it_lay():
    """With its events at hand, an exchange shows when it did nothing that has a name."""
    result = trace(attempt(1, LATE_TLS))
    bar = render(result, width=80, style=ASCII).splitlines()[4].split("|")[1]
    assert re.fullmatch(r"c+\.+t+#+=+", bar)
    assert bar.count(".") == pytest.approx(0.4 * len(bar), abs=1)


def test_the_legend_lists_only_what_occurs():
    """A reader is not sent looking for phases that are not there."""
    result = trace(attempt(1, exchange(status=200, ms=Timings(send=10, wait=90))))
    assert "  s send  █ wait" in render(result, width=80, style=PLAIN).splitlines()


def test_colour_adds_nothing_but_colour():
    """Without its colour codes the coloured text is the plain one."""
    coloured = render(RETRIED, width=80, style=COLOURED)
    assert "\x1b[32m████\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == render(RETRIED, width=80, style=PLAIN)


@pytest.mark.parametrize(
    ("result", "codes"), [(RETRIED, "\x1b[1;32mOK"), (UNRESOLVED, "\x1b[1;31mDNS ERROR")]
)
def test_the_headline_is_green_or_red(result, codes):
    """Good and bad are told apart at a glance."""
    assert render(result, width=80, style=COLOURED).startswith(codes)


def test_sleeps_stand_between_the_attempts():
    """A retry's sleep has a row of its own, after the attempt that failed."""
    lines = render(RETRIED, width=80, style=PLAIN).splitlines()
    rows = [line.split("│")[0].strip() for line in lines if "│" in line]
    assert rows == ["#1 GET 503", "sleep", "#2 GET 302", "#2 → GET 200"]


def test_rows_are_in_time_order():
    """Attempts are drawn in the order in which they began."""
    late, early = attempt(2, REUSED, start=163.0), attempt(1, FRESH)
    lines = render(trace(late, early), width=80, style=PLAIN).splitlines()
    assert [line[:2] for line in lines if "│" in line] == ["#1", "#2"]


def test_a_call_without_attempts_says_why():
    """A call that never got as far as an attempt has no chart, but a headline and an error."""
    result = trace(
        outcome="invalid_request",
        verdict_culprit="client",
        verdict_sentence="the request could not be made: the URL is not valid",
        error_type="InvalidURL",
        error_message="the URL is not valid",
        url_full="http://[",
        duration_ms=0.04,
    )
    assert render(result, width=80, style=PLAIN).splitlines() == [
        "INVALID REQUEST  GET http://[  0.04 ms  0 attempts",
        "fault: client. the request could not be made: the URL is not valid",
        "",
        "raised InvalidURL",
        "trace 4bf92f3577b34da6a3ce929d0e0e4736 · 2026-11-20T22:27:58.009Z",
    ]


def test_a_narrow_terminal_keeps_the_bars():
    """Where there is little room, the times beside the bars go first."""
    lines = render(RETRIED, width=30, style=PLAIN).splitlines()
    assert max(map(len, lines)) == 40
    assert all(line.endswith("│") for line in lines if line.startswith("#1 GET"))


def test_control_characters_are_shown_and_not_sent():
    """What came from the wire cannot move the cursor, ring the bell or add a line."""
    evil = "\x1b[2J\x07\r\nroot ok\u202e"
    error = ErrorInfo(type="ProtocolError", phase="receive", message=evil)
    result = trace(attempt(1, exchange(error=error, dns=DNS(host=evil))), verdict_sentence=evil)
    text = render(result, width=80, style=PLAIN)
    assert r"\x1b[2J\x07\r\nroot ok\u202e" in text
    assert all(line.isprintable() for line in text.splitlines())


def test_a_record_with_a_broken_time_is_refused():
    """A time that is none is an error, not a bar in the wrong place."""
    with pytest.raises(ValueError, match="isoformat"):
        render(msgspec.structs.replace(RETRIED, started_at="yesterday"), width=80, style=PLAIN)
