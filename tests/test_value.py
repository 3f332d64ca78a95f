"""Frozen values: what a dataclass does they do, without what loading ``dataclasses`` costs."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import sys
import typing

import pytest

from tracedclient._value import Value, derived


class Point(Value):
    x: int
    y: int = 2
    _sum: int = derived(init=False)

    def __post_init__(self):
        if self.x == 0:
            raise ValueError("x must not be 0")
        self._set(_sum=self.x + self.y)


@dataclasses.dataclass(frozen=True)
class Twin:
    x: int
    y: int = 2


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((1,), {}), ((1, 3), {}), ((), {"x": 1, "y": 4}), ((5,), {"y": 6})],
)
def test_a_value_is_what_a_dataclass_is(args, kwargs):
    """Fields, text, signature, equality and hash are those of the dataclass with the same fields."""
    value, twin = Point(*args, **kwargs), Twin(*args, **kwargs)
    assert (value.x, value.y) == (twin.x, twin.y)
    assert value._sum == twin.x + twin.y
    assert repr(value) == repr(twin).replace("Twin", "Point")
    assert value == Point(twin.x, twin.y)
    assert hash(value) == hash(Point(twin.x, twin.y))
    assert value not in (Point(7, 8), twin, (twin.x, twin.y))
    assert inspect.signature(Point) == inspect.signature(Twin)
    assert Point.__match_args__ == Twin.__match_args__


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1})]
)
def test_wrong_arguments_are_refused_in_the_same_words(args, kwargs):
    """Too many, too few, unknown and doubled arguments are the dataclass's TypeError."""
    with pytest.raises(TypeError) as ours:
        Point(*args, **kwargs)
    with pytest.raises(TypeError) as its:
        Twin(*args, **kwargs)
    assert str(ours.value).partition(".")[2] == str(its.value).partition(".")[2]


def test_a_value_does_not_change():
    """Assigning and deleting raise ``dataclasses.FrozenInstanceError``, as ever."""
    value = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        value.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'y'"):
        del value.y
    assert value == Point(1)


def test_dataclasses_take_a_value_for_theirs():
    """``fields``, ``replace``, ``asdict``, ``copy`` and ``pickle`` work, and checks are made again."""
    value = Point(1, 3)
    assert dataclasses.is_dataclass(Point)
    assert list(typing.get_type_hints(Point)) == ["x", "y", "_sum"]
    assert [field.name for field in dataclasses.fields(Point)] == ["x", "y"]
    assert dataclasses.asdict(value) == {"x": 1, "y": 3}
    assert dataclasses.replace(value, y=4) == Point(1, 4)
    assert dataclasses.replace(value, y=4)._sum == 5
    with pytest.raises(ValueError, match="x must not be 0"):
        dataclasses.replace(value, x=0)
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert other == value
        assert other._sum == 4
    if sys.version_info >= (3, 13):
        assert copy.replace(value, y=4) == Point(1, 4)


def test_a_value_can_be_matched():
    """``match`` takes its fields by position and by name."""
    match Point(1, 3):
        case Point(x, y=3):
            assert x == 1
        case _:
            pytest.fail("it was not matched")
