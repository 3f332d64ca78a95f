"""Frozen values: what a dataclass does they do, without what loading ``dataclasses`` costs."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import pprint
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


class Named(Point):
    """With nothing of its own."""


class Placed(Point):
    z: int = 9
    x: int = 5


@dataclasses.dataclass(frozen=True)
class Coloured(Point):
    colour: str = "red"


def test_a_value_has_the_fields_of_its_base():
    """A subclass takes its base's arguments, by place and by name, and its own after them."""
    assert (Named(1, y=3).x, Named(1).y, Named(1)._sum) == (1, 2, 3)
    assert repr(Named(1)) == "Named(x=1, y=2)"
    assert Named(1) not in (Named(2), Point(1))
    assert (Placed().x, Placed(1, 2, 3).z) == (5, 3)
    assert str(inspect.signature(Placed)) == "(x: 'int' = 5, y: 'int' = 2, z: 'int' = 9) -> None"
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Named()


def test_a_dataclass_can_be_made_from_a_value():
    """``@dataclass(frozen=True)`` adds its fields, and the base's checks are made."""
    value = Coloured(1, colour="blue")
    assert (value.x, value.y, value._sum, value.colour) == (1, 2, 3, "blue")
    assert dataclasses.replace(value, x=4)._sum == 6
    with pytest.raises(ValueError, match="x must not be 0"):
        Coloured(0)


def test_a_value_can_be_printed_prettily():
    """``pprint``, which asks a dataclass for its parameters, prints a long one."""
    values = [Point(10**40, number) for number in range(4)]
    assert eval(pprint.pformat(values)) == values
    assert pprint.pformat(Point(10**90)) == repr(Point(10**90))


def test_a_value_can_be_matched():
    """``match`` takes its fields by position and by name."""
    match Point(1, 3):
        case Point(x, y=3):
            assert x == 1
        case _:
            pytest.fail("it was not matched")
