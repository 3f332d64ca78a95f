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


def spanned(service, start, ms, *spans, parent=None):
    """A call with an attempt for each of ``spans``, made for the span ``parent``."""
    made = [
        attempt(n, exchange(start, url="http://10.0.0.7/", duration_ms=ms / 2, span_id=span))
        for n, span in enumerate(spans, 1)
    ]
    fields = {"service_name": service, "duration_ms": ms, "parent_span_id": parent}
    return starting(trace(*made, **fields), start)


def test_ids_of_spans_say_who_called_whom():
    """A call is below the attempt whose span it names, whatever the names, the times and the clocks."""
    shop = spanned("shop", 0, 100, "a1", "a2")
    late = spanned("worker", 90_000, 500, "b1", parent="a2")
    own = spanned("worker", 90_100, 900, "c1", parent="b1")
    found = calls([own, late, shop])
    assert [(one.depth, one.caller, one.attempt, one.by) for one in found] == [
        (0, None, None, ""),
        (1, 0, 2, "span id"),
        (2, 1, 1, "span id"),
    ]


def test_a_span_that_no_line_has_leaves_it_to_the_times():
    """Where a proxy on the way put its own span, names and times are what is left."""
    shop = spanned("shop", 0, 300, "a1")
    orders = spanned("orders", 20, 50, "b1", parent="f00d")
    assert shape(calls([shop, orders]))[1] == ("orders", 1, 0, "time")


def test_spans_that_go_in_a_circle_lose_no_call():
    """Calls that forged ids make each other's callers, or their own, are all in the tree, once."""
    one = spanned("one", 0, 100, "a1", parent="b1")
    two = spanned("two", 10, 200, "b1", parent="a1")
    below = spanned("below", 20, 30, "c1", parent="b1")
    itself = spanned("itself", 40, 30, "d1", parent="d1")
    found = calls([one, two, below, itself])
    assert sorted(c.trace.service_name for c in found) == ["below", "itself", "one", "two"]
    assert {c.trace.service_name: c.depth for c in found} == {
        "one": 0,
        "two": 1,
        "below": 2,
        "itself": 0,
    }


def test_services_that_call_each_other_without_end():
    """A chain of calls deeper than Python's recursion is a tree too."""
    chain = [spanned(f"s{n % 2}", n, 5, f"{n}", parent=f"{n - 1}") for n in range(1500)]
    assert [one.depth for one in calls(chain)] == list(range(1500))
