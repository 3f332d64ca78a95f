import pytest
from drawing import PLAIN, attempt, exchange, trace

from tracedclient.cli.waterfall import render
from tracedclient.trace.model import DNS, TLS, Connection, ErrorInfo, Holder, Pool, Proxy, Timings


def test_an_error_outside_of_every_exchange_is_shown():
    """What failed between exchanges is told by the attempt and by what the caller saw."""
    broken = ErrorInfo(type="TooManyRedirects", phase="redirect", message="too many redirects")
    result = trace(
        attempt(1, error=broken),
        outcome="too_many_redirects",
        error_type="DeadlineExceeded",
        error_message="the total timeout of the call has passed",
    )
    text = render(result, width=80, style=PLAIN)
    assert "#1 failed │" in text
    assert "failed in redirect: TooManyRedirects: too many redirects" in text
    assert "raised DeadlineExceeded: the total timeout of the call has passed" in text


def test_an_errors_message_is_told_once():
    """What an attempt has told already is not said again by what the caller saw."""
    broken = ErrorInfo(type="ProtocolError", phase="receive", message="it broke off")
    result = trace(
        attempt(1, error=broken), error_type="ConnectionError", error_message="it broke off"
    )
    lines = render(result, width=80, style=PLAIN).splitlines()
    assert "raised ConnectionError" in lines
    assert "     failed in receive: ProtocolError: it broke off" in lines


def test_a_cut_record_says_what_is_missing():
    """Attempts and redirects that did not fit the log line are counted, not passed over."""
    result = trace(
        attempt(1, exchange(), exchange(), exchanges_dropped=3), truncated=True, attempts_dropped=1
    )
    text = render(result, width=80, style=PLAIN)
    assert "3 redirects in between left out of this record" in text
    assert "this record was cut to fit a log line; 1 attempt left out" in text


def test_the_way_through_a_proxy_is_told():
    """CONNECT's target and status, and which handshake was the proxy's."""
    tunnel = exchange(
        proxy=Proxy(url="https://proxy:3129", target="api.example.com:443", status=200),
        tls=(
            TLS(server_name="proxy", version="TLSv1.2", proxy=True, resumed=True),
            TLS(server_name="api.example.com", error="CERTIFICATE_VERIFY_FAILED: expired"),
        ),
        ms=Timings(proxy=12.0, tls=30.0),
    )
    text = render(trace(attempt(1, tunnel)), width=200, style=PLAIN)
    assert "proxy 12.0 ms (https://proxy:3129 CONNECT api.example.com:443 200)" in text
    assert "TLSv1.2 with the proxy, resumed; api.example.com, CERTIFICATE_VERIFY_FAILED" in text


@pytest.mark.parametrize(
    ("not_after", "words"),
    [
        ("2026-11-21T22:27:59Z", "certificate until 2026-11-21, 1 day left"),
        ("3000-01-01T00:00:00Z", "certificate until 3000-01-01"),
        ("2026-11-20T00:00:00Z", "certificate until 2026-11-20, EXPIRED"),
        ("whenever", "certificate until whenever"),
    ],
)
def test_a_certificates_end_is_counted_from_the_request(not_after, words):
    """An old log line tells how long the certificate had left then, not now."""
    tls = (TLS(server_name="api.example.com", version="TLSv1.3", not_after=not_after),)
    text = render(trace(attempt(1, exchange(tls=tls))), width=80, style=PLAIN)
    assert f"(TLSv1.3, {words})" in text


def test_what_befell_the_connection_is_told():
    """Dead pooled connections, interim answers and a cut body are in the facts."""
    connection = Connection(
        id=3,
        reused=False,
        age_ms=0,
        uses=0,
        stale_discarded=2,
        stale_reason="closed by the peer",
        not_returned="body not read",
    )
    odd = exchange(connection=connection, interim=(103, 103), body_complete=False)
    text = render(trace(attempt(1, odd)), width=200, style=PLAIN)
    assert "interim 103, 103" in text
    assert "new connection, 2 dead ones discarded before (closed by the peer), not kept" in text
    assert "body not read to its end" in text


def test_an_abandoned_body_is_told():
    """An answer that its caller let go of is not taken for one that he closed early."""
    left = exchange(body_complete=False, body_abandoned=True)
    text = render(trace(attempt(1, left)), width=200, style=PLAIN)
    assert "body abandoned: the caller let go of it" in text
    assert "body not read to its end" not in text


def test_who_held_the_pool_is_told():
    """A wait for a connection names the call that has held one for the longest time."""
    holders = (Holder(trace_id="abc", age_ms=2100.0, phase="wait"),)
    pool = Pool(in_use=2, idle=0, limit=2, holders=holders)
    waited = exchange(ms=Timings(blocked=50.0), pool=pool)
    text = render(trace(attempt(1, waited)), width=160, style=PLAIN)
    assert "blocked 50.0 ms (2 of 2 connections in use; by abc for 2100 ms, in wait)" in text
    unblocked = exchange(ms=Timings(wait=50.0), pool=pool)
    assert "in use" not in render(trace(attempt(1, unblocked)), width=160, style=PLAIN)


def test_a_certificate_that_nobody_checked_is_told():
    """With verify=False the waterfall says what that means."""
    tls = (TLS(server_name="api.example.com", version="TLSv1.3", verified=False),)
    text = render(trace(attempt(1, exchange(tls=tls))), width=160, style=PLAIN)
    assert "(TLSv1.3, certificate NOT verified)" in text


def test_many_addresses_are_counted():
    """A name with a dozen addresses does not fill the screen."""
    dns = DNS(host="cdn", addrs=tuple(f"10.0.0.{n}" for n in range(12)))
    text = render(trace(attempt(1, exchange(dns=dns))), width=80, style=PLAIN)
    assert "dns (cdn: 10.0.0.0, 10.0.0.1, 10.0.0.2, 10.0.0.3, 8 more)" in text
