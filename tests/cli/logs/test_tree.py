from drawing import at, attempt, exchange, trace

from tracedclient.cli.logs.tree import calls, culprit


def call(service, host, start, ms, *, status=200, **fields):
    """A trace of one attempt by ``service`` to ``host``."""
    url = f"http://{host}/v1"
    one = exchange(start, url=url, duration_ms=ms, status=status)
    made = attempt(1, one, start=start, duration_ms=ms, status=status)
    given = {"service_name": service, "url_full": url, "duration_ms": ms + 0.5, **fields}
    return trace(made, http_response_status_code=status, **given)


def starting(made, ms):
    import msgspec

    return msgspec.structs.replace(made, started_at=at(ms))


def shape(found):
    return [(one.trace.service_name, one.depth, one.caller, one.by) for one in found]


SHOP = call("shop", "orders.internal", 0, 300)
ORDERS = starting(call("orders", "stock", 20, 200), 20)
STOCK = starting(
    call("stock", "db", 50, 100, status=503, outcome="http_error", verdict_culprit="server"), 50
)


def test_services_are_put_below_those_who_called_them():
    """By the names in the URLs and by the times, whatever the order they were found in."""
    expected = [
        ("shop", 0, None, ""),
        ("orders", 1, 0, "name and time"),
        ("stock", 2, 1, "name and time"),
    ]
    assert shape(calls([STOCK, SHOP, ORDERS])) == expected


def test_times_alone_will_do():
    """Where a URL has an address, a call that lies within another's exchange is below it."""
    shop = call("shop", "10.0.0.7", 0, 300)
    assert shape(calls([ORDERS, shop]))[1] == ("orders", 1, 0, "time")


def test_what_lies_outside_of_all_is_nobodys():
    """A call that no exchange contains stands alone, and so do those of one service."""
    later = starting(call("orders", "stock", 5000, 10), 5000)
    within = starting(call("shop", "billing", 50, 10), 50)
    assert [one.caller for one in calls([SHOP, later, within])] == [None, None, None]


def test_clocks_may_differ_where_names_agree():
    """A callee whose clock is half a second behind is still below its caller, not by time alone."""
    behind = starting(call("orders", "stock", -500, 200), -500)
    assert shape(calls([SHOP, behind]))[1] == ("orders", 1, 0, "name and time")
    unnamed = call("shop", "10.0.0.7", 0, 300)
    assert [one.caller for one in calls([unnamed, behind])] == [None, None]


def test_the_attempt_is_known():
    """A call lies in the attempt during which it was made."""
    first = attempt(1, exchange(0, url="http://orders/", duration_ms=100))
    second = attempt(2, exchange(200, url="http://orders/", duration_ms=100), start=200)
    shop = trace(first, second, service_name="shop", duration_ms=300)
    child = starting(call("orders", "stock", 220, 50), 2200 / 10)
    assert [one.attempt for one in calls([shop, child])] == [None, 2]


def test_the_same_trace_twice_is_one():
    """A trace that was found in two files is there once."""
    assert len(calls([SHOP, SHOP, ORDERS])) == 2


def test_the_deepest_fault_explains_the_others():
    """Of a chain of failures the last callee is at fault; without any, the longest is shown."""
    failed = call("shop", "orders", 0, 300, outcome="http_error", verdict_culprit="server")
    assert culprit(calls([failed, ORDERS, STOCK])).trace.service_name == "stock"
    assert culprit(calls([SHOP, ORDERS])).trace.service_name == "shop"


def test_a_url_that_is_none_names_nobody():
    """A URL that cannot be taken apart does not hinder."""
    shop = call("shop", "[", 0, 300)
    assert shape(calls([shop, ORDERS]))[1] == ("orders", 1, 0, "time")
