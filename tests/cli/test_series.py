import pytest
from drawing import PLAIN, attempt, exchange, trace

from tracedclient.cli.page import Page
from tracedclient.cli.series import percentile, table
from tracedclient.trace.model import TLS, Connect, Connection

COLD = exchange(
    connection=Connection(id=1, reused=False, age_ms=0, uses=0, remote="10.12.3.9:443"),
    connects=(
        Connect(addr="[2001:db8::7]:443", ms=4.0, error="ENETUNREACH: Network is unreachable"),
        Connect(addr="10.12.3.9:443", ms=3.9),
    ),
    tls=(TLS(server_name="api.example.com", version="TLSv1.3", not_after="2027-03-01T12:00:00Z"),),
)
WARM = exchange(connection=Connection(id=1, reused=True, age_ms=9, uses=1, idle_ms=1.0))


def answered(one, **fields):
    return trace(attempt(1, one), http_response_status_code=200, **fields)


def first():
    return answered(COLD, dns_ms=2.1, connect_ms=7.9, tls_ms=15.0, wait_ms=33.4, duration_ms=58.9)


def drawn(*traces, width=80):
    return list(table(traces, Page(width, PLAIN)))


def test_what_a_new_connection_costs_and_what_comes_after_it():
    """One row for each phase that took place; the first request beside the others' percentiles."""
    rest = [answered(WARM, wait_ms=ms, duration_ms=ms + 0.4) for ms in (30, 31, 32, 33, 210)]
    assert drawn(first(), *rest) == [
        "6 requests: GET https://api.example.com/v1/orders?full=REDACTED",
        "1 cold (new connection), 5 warm (kept alive)",
        "",
        "  ms           cold  warm p50    p95    max",
        "  dns           2.1         -      -      -",
        "  connect       7.9         -      -      -",
        "  tls          15.0         -      -      -",
        "  wait         33.4      32.0  210.0  210.0",
        "  unaccounted   0.0       0.0    0.0    0.0",
        "  total        58.9      32.4  210.4  210.4",
        "",
        "connect [2001:db8::7]:443 ENETUNREACH: Network is unreachable after 4.0 ms,",
        "  10.12.3.9:443 ok after 3.9 ms",
        "tls TLSv1.3, certificate until 2027-03-01, 100 days left",
    ]


def test_few_requests_have_no_percentiles():
    """Below five there is a largest one, and no percentile."""
    rest = [answered(WARM, wait_ms=ms, duration_ms=ms) for ms in (30.0, 31.0)]
    wait = next(line for line in drawn(first(), *rest) if line.startswith("  wait"))
    assert wait.split() == ["wait", "33.40", "-", "-", "31.00"]


def test_a_server_that_keeps_no_connection_has_no_warm_requests():
    """What needed a new connection is not called warm, whichever request it was."""
    closed = Connection(id=1, reused=False, age_ms=0, uses=0, not_returned="asked to be closed")
    lines = drawn(*[answered(exchange(connection=closed))] * 6)
    assert "6 cold (new connection), 0 warm (kept alive)" in lines
    assert lines[3].split() == ["ms", "cold", "p50", "p95", "max"]
    assert "connection not kept 6x: asked to be closed" in lines


def test_failures_are_counted_and_not_averaged():
    """A request that failed is in no percentile; why it failed is said, once."""
    failed = trace(
        attempt(1, WARM),
        outcome="timeout",
        verdict_sentence="no answer came",
        error_type="ReadTimeout",
        wait_ms=9000.0,
        duration_ms=9000.0,
    )
    lines = drawn(first(), failed, failed)
    assert "1 cold (new connection), 0 warm (kept alive), 2 FAILED" in lines
    assert lines[-1] == "failed 2x: timeout. no answer came"
    assert not any("9000" in line for line in lines)


def test_without_an_answer_there_is_no_table():
    """When everything failed, only why is told."""
    failed = trace(outcome="dns_error", verdict_sentence="no address", error_type="X")
    assert drawn(failed) == [
        "1 request: GET https://api.example.com/v1/orders?full=REDACTED",
        "0 cold (new connection), 0 warm (kept alive), 1 FAILED",
        "",
        "failed 1x: dns error. no address",
    ]


@pytest.mark.parametrize(
    ("count", "share", "expected"), [(4, 0.5, None), (5, 0.5, 3), (20, 0.95, 19), (5, 0.95, 5)]
)
def test_percentiles_are_of_the_nearest_rank(count, share, expected):
    """A percentile is a value that was measured, not one in between."""
    assert percentile([*range(count, 0, -1)], share) == expected


def test_a_redirect_over_a_new_connection_is_cold():
    """A request is warm only when none of its hops had to open a connection."""
    hops = trace(attempt(1, WARM, COLD), http_response_status_code=200)
    assert drawn(hops)[1] == "1 cold (new connection), 0 warm (kept alive)"
