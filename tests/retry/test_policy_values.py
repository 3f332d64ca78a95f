"""``RetryPolicy``: its defaults, and what it takes for its values."""

from __future__ import annotations

import http

import pytest
import tenacity

from tracedclient import RetryPolicy

POLICY = RetryPolicy()


def test_default_policy():
    """Three attempts, the idempotent methods, the answers that say "not now", and no own stop."""
    assert POLICY.max_attempts == 3
    assert POLICY.methods == {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}
    assert POLICY.statuses == {408, 425, 429, 502, 503, 504}
    assert POLICY.stop is None
    assert POLICY.retry_after_max == 10.0


@pytest.mark.parametrize("number", range(1, 9))
@pytest.mark.parametrize(("name", "base"), [("wait", 0.05), ("wait_throttled", 1.0)])
def test_default_wait_is_full_jitter(name, base, number):
    """The wait is anywhere from 0 to its base, twice that, … at most 2 s: clients get out of step."""
    state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
    state.attempt_number = number
    waits = [getattr(POLICY, name)(state) for _ in range(300)]
    highest = min(2.0, base * 2 ** (number - 1))
    assert all(0 <= wait <= highest for wait in waits)
    assert max(waits) - min(waits) > highest / 2


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"max_attempts": 0}, ValueError, "max_attempts must be from 1 to 5, not 0"),
        ({"max_attempts": 6}, ValueError, "max_attempts must be from 1 to 5, not 6"),
        ({"max_attempts": "3"}, TypeError, "max_attempts must be an int, not '3'"),
        ({"max_attempts": True}, TypeError, "max_attempts must be an int, not True"),
        ({"max_attempts": 2.0}, TypeError, "max_attempts must be an int"),
        ({"wait": 1.0}, TypeError, "wait must be one of tenacity's wait objects, not 1.0"),
        ({"wait_throttled": 1}, TypeError, "wait_throttled must be one of tenacity's wait objects"),
        ({"stop": 3}, TypeError, "stop must be one of tenacity's stop objects, not 3"),
        ({"methods": "GET"}, TypeError, "methods must be a collection of method names"),
        ({"methods": [1]}, TypeError, "methods must be a collection of method names"),
        ({"methods": None}, TypeError, "methods must be a collection"),
        ({"statuses": 503}, TypeError, "statuses must be a collection"),
        ({"statuses": ["503"]}, TypeError, "statuses must be an int, not '503'"),
        ({"statuses": [200]}, ValueError, "statuses must be from 400 to 599, not 200"),
        ({"retry_after_max": -1}, ValueError, "retry_after_max must be 0 or more, not -1"),
        ({"retry_after_max": float("nan")}, ValueError, "retry_after_max must be 0 or more"),
        ({"retry_after_max": "10"}, ValueError, "retry_after_max must be 0 or more, not '10'"),
    ],
)
def test_value_that_cannot_be_meant_is_refused(values, error, says):
    """A value that cannot be meant is an error when the policy is made, naming the field."""
    with pytest.raises(error, match=says):
        RetryPolicy(**values)


def test_collections_may_be_of_any_kind():
    """Methods and statuses may come as any iterable, in any case, a generator and an enum included."""
    policy = RetryPolicy(
        methods=(name for name in ["get", "Post"]),
        statuses=iter([http.HTTPStatus.BAD_GATEWAY, 503]),
    )
    assert policy.methods == {"GET", "POST"}
    assert policy.statuses == {502, 503}
    assert {type(status) for status in policy.statuses} == {int}
    assert RetryPolicy(methods=[], statuses=set()).methods == frozenset()


def test_ends_of_each_range_are_in_it():
    """The least and the most of each value may be meant."""
    assert RetryPolicy(max_attempts=1, retry_after_max=0).retry_after_max == 0
    assert RetryPolicy(max_attempts=5, retry_after_max=float("inf")).max_attempts == 5
    assert RetryPolicy(statuses=[400, 599]).statuses == {400, 599}


def test_policy_is_a_frozen_value():
    """A policy shared by all threads cannot be changed by one of its users."""
    with pytest.raises(AttributeError):
        RetryPolicy().max_attempts = 5
    with pytest.raises(AttributeError):
        RetryPolicy().methods.add("POST")
