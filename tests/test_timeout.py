"""``Timeout``: what is taken for one, and what is refused."""

from __future__ import annotations

import dataclasses
import math
import socket

import pytest

from tracedclient import Timeout

FIELDS = ["connect", "read", "total"]


def test_default_bounds_everything():
    """Nothing waits for ever unless asked to: all three have a limit by default."""
    assert Timeout() == Timeout(connect=1.0, read=5.0, total=10.0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (3, Timeout(3, 3, None)),
        (0.5, Timeout(0.5, 0.5, None)),
        ((1, 2), Timeout(1, 2, None)),
        ((None, 2.5), Timeout(None, 2.5, None)),
        (None, Timeout(None, None, None)),
        (Timeout(1, 2, 3), Timeout(1, 2, 3)),
    ],
)
def test_what_requests_takes_means_the_same(given, expected):
    """A number is connect and read, a pair is (connect, read), None is no limit, as in requests."""
    assert Timeout.of(given) == expected


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value", [0, -1, -0.001, math.inf, math.nan, 1e300, pytest.param(10**400, id="10**400")]
)
def test_number_that_cannot_be_meant_is_refused(field, value):
    """0, negative, endless and absurd numbers are refused; the error names the field."""
    with pytest.raises(ValueError, match=rf"timeout: {field} must be greater than 0.*None"):
        Timeout(**{field: value})


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", ["5", True, [1], (1, 2), object()])
def test_what_is_no_number_is_refused(field, value):
    """A value that is no number of seconds is a TypeError that names the field."""
    with pytest.raises(TypeError, match=f"timeout: {field} must be a number of seconds or None"):
        Timeout(**{field: value})


@pytest.mark.parametrize("value", [(1,), (1, 2, 3), ()])
def test_tuple_must_be_a_pair(value):
    """A tuple of another length than two is refused, saying what it should be."""
    with pytest.raises(ValueError, match=r"pair \(connect, read\)"):
        Timeout.of(value)


@pytest.mark.parametrize("value", ["5", True, [1, 2], {"connect": 1}])
def test_of_refuses_what_it_does_not_know(value):
    """``of`` takes nothing but a Timeout, a number, a pair or None."""
    with pytest.raises(TypeError, match="timeout: connect must be a number"):
        Timeout.of(value)


def test_longest_timeout_is_one_that_a_socket_takes():
    """The longest timeout that is accepted does not fail later, in the middle of a request."""
    longest = Timeout(connect=1e9).connect
    with socket.socket() as sock:
        sock.settimeout(longest)
    with pytest.raises(ValueError, match="at most 1000000000 seconds"):
        Timeout(connect=1e9 + 1)


def test_timeout_is_a_frozen_value():
    """A Timeout is compared by value, can be a key, and cannot be changed by one of its users."""
    assert {Timeout(1, 2, 3): "x"}[Timeout(1, 2, 3)] == "x"
    with pytest.raises(dataclasses.FrozenInstanceError):
        Timeout().total = 1
