import pytest
from drawing import ASCII, COLOURED, PLAIN, at, exchange
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.cli.box import box, cells, decimals
from tracedclient.cli.page import Page
from tracedclient.trace.model import DNS, PHASES, Connect, ErrorInfo, Event, Timings

MARKS = {
    "dns_done": 3.0,
    "connect_done": 11.1,
    "tls_handshake_done": 26.2,
    "got_conn": 26.3,
    "got_first_response_byte": 59.9,
}


def marks(**points):
    return tuple(Event(event=event, at=at(ms)) for event, ms in points.items())


HTTPS = exchange(
    duration_ms=64.0,
    status=200,
    ms=Timings(dns=2.1, connect=7.9, tls=15.0, send=0.06, wait=33.4, receive=4.2, unaccounted=1.34),
    dns=DNS(host="api.example.com", addrs=("10.12.3.9",)),
    connects=(Connect(addr="10.12.3.9:443", ms=7.9),),
    events=marks(**MARKS),
)


def drawn(one, width=80, style=PLAIN):
    return list(box(one, Page(width, style)))


def test_a_column_for_each_phase_and_the_points_in_time_beneath():
    """httpstat's picture, with what it lacks: upload, and the time that is in no phase."""
    assert drawn(HTTPS) == [
        "        DNS        TCP         TLS            Server  Content",
        "     Lookup Connection   Handshake Upload Processing Transfer  Other",
        " ms │ 2.10 │     7.90 │     15.00 │ 0.06 │    33.40 │   4.20 │ 1.34 │",
        "  namelookup    connect pretransfer     starttransfer           total",
        "        3.00      11.10       26.30             59.90           64.00",
    ]


def test_plain_http_is_ready_when_it_is_connected():
    """Without TLS there is nothing between connect and the request: one point, not two."""
    plain = exchange(
        duration_ms=1234.5,
        ms=Timings(connect=1.0, send=1000.0, wait=233.0, receive=0.5),
        connects=(Connect(addr="10.12.3.9:80", ms=1.0),),
        events=marks(connect_done=1.0, got_conn=1.01, got_first_response_byte=1234.0),
    )
    assert drawn(plain) == [
        "            TCP              Server  Content",
        "     Connection   Upload Processing Transfer",
        " ms │      1.0 │ 1000.0 │    233.0 │    0.5 │",
        "         connect       starttransfer    total",
        "             1.0              1234.0   1234.5",
    ]


def test_a_kept_connection_has_no_columns_for_what_did_not_happen():
    """On reuse there is no lookup and no handshake: no column, and never a 0."""
    warm = exchange(
        duration_ms=40.0,
        ms=Timings(send=0.1, wait=39.0, receive=0.2, unaccounted=0.7),
        events=marks(got_conn=0.2, got_first_response_byte=39.5),
    )
    text = "\n".join(drawn(warm))
    assert "Upload Processing Transfer" in text
    for word in ("DNS", "TCP", "TLS", "namelookup", "connect", "pretransfer"):
        assert word not in text


def test_pool_and_proxy_have_columns_of_their_own():
    """What httpstat counts as nothing: the wait for a connection, and CONNECT."""
    tunnel = exchange(ms=Timings(blocked=50.0, connect=1.0, proxy=12.0, tls=30.0, send=1, wait=6))
    text = "\n".join(drawn(tunnel))
    assert "Pool" in text
    assert "Proxy" in text


def test_a_box_that_does_not_fit_is_folded():
    """On a narrow terminal the columns go on below; none is lost, and none is cut."""
    lines = drawn(HTTPS, width=40)
    assert max(map(len, lines)) == 39
    assert [line for line in lines if line.startswith(" ms │")] == [
        " ms │ 2.10 │     7.90 │     15.00 │",
        " ms │ 0.06 │    33.40 │   4.20 │ 1.34 │",
    ]


def test_a_failure_is_where_it_happened():
    """A partial box: what came before the failure is timed, and nothing after it is there."""
    refused = exchange(
        duration_ms=5.0,
        ms=Timings(dns=2.0, connect=2.5, unaccounted=0.5),
        dns=DNS(host="api.example.com", addrs=("10.12.3.9",)),
        connects=(Connect(addr="10.12.3.9:443", ms=2.5, error="ECONNREFUSED"),),
        events=marks(dns_done=2.1, connect_done=4.8),
        error=ErrorInfo(type="NewConnectionError", phase="connect"),
    )
    lines = drawn(refused)
    assert "namelookup" in lines[3]
    assert "connect" not in lines[3]
    assert lines[3].endswith("total")
    assert "\x1b[31m     2.50 \x1b[0m" in "\n".join(drawn(refused, style=COLOURED))


def test_where_nothing_took_place_there_is_no_box():
    """A single column of time that nobody claims tells nobody anything."""
    assert drawn(exchange(ms=Timings(unaccounted=3.0))) == []


def test_ascii():
    """Without Unicode the borders are ASCII."""
    assert all(line.isascii() for line in drawn(HTTPS, style=ASCII))


@pytest.mark.parametrize(("total", "digits"), [(0.0, 2), (99.9, 2), (100.0, 1), (1e4, 0)])
def test_the_digits_suit_the_total(total, digits):
    """Nobody needs a microsecond of ten seconds."""
    assert decimals(total) == digits


@given(
    st.dictionaries(st.sampled_from(PHASES), st.floats(min_value=0, max_value=1e6), min_size=1),
    st.floats(min_value=0, max_value=1e4),
    st.integers(min_value=40, max_value=200),
)
def test_the_columns_add_up_to_the_total(phases, rest, width):
    """As shown, rounded, in one row or folded: the columns' sum is the total, to the last digit."""
    total = round(sum(phases.values()) + rest, 3)
    one = exchange(duration_ms=total, ms=Timings(**phases, unaccounted=rest))
    digits = decimals(total)
    assert sum(cell.share for cell in cells(one)) == round(total * 10**digits)
    lines = drawn(one, width=width, style=ASCII)
    shown = [word for line in lines if line.startswith(" ms |") for word in line[5:-1].split("|")]
    assert sum(round(float(word) * 10**digits) for word in shown) == round(total * 10**digits)
    assert max(map(len, lines)) <= width


@given(st.dictionaries(st.sampled_from(PHASES), st.floats(min_value=1, max_value=1e6), min_size=1))
def test_every_phase_that_took_place_has_a_column(phases):
    """In the order in which they happen, and no other."""
    one = exchange(duration_ms=sum(phases.values()), ms=Timings(**phases))
    expected = [phase for phase in PHASES if phase in phases]
    assert [cell.phase for cell in cells(one) if cell.phase != "unaccounted"] == expected
