"""``Value``: frozen classes with fields, as ``dataclass(frozen=True)`` makes them.

``dataclasses`` loads ``inspect`` and compiles each class anew in every process: together an eighth
of what ``import requests`` costs. It is loaded here only for those who ask for what is its own:
``fields``, ``replace``, ``asdict``, a signature, ``FrozenInstanceError``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Never, Self, dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[type], type]:
        return lambda cls: cls


def derived(*, init: Literal[False]) -> Any:
    """Declare a field that is no argument: ``__post_init__`` computes it from those that are."""


class _OfDataclass:
    """An attribute that a dataclass has, made by ``dataclasses`` when somebody asks for it."""

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    def __get__(self, _: object, owner: Any) -> Any:
        return getattr(_twin(owner), self._name)


@dataclass_transform(frozen_default=True, field_specifiers=(derived,))
class Value:
    """Subclass it, and annotate the fields; one whose name begins with ``_`` is no argument.

    ``__post_init__``, if there is one, checks the fields, and may change them by ``_set``.
    """

    __dataclass_fields__ = _OfDataclass()
    __dataclass_params__ = _OfDataclass()
    __signature__ = _OfDataclass()
    if TYPE_CHECKING:  # they are no fields, and no hint of any
        _arguments: ClassVar[tuple[str, ...]]
        _required: ClassVar[frozenset[str]]
    else:
        _arguments = ()
        _required = frozenset()

    def __init_subclass__(cls) -> None:
        own = [name for name in cls.__annotations__ if name[0] != "_"]
        cls._arguments = tuple(dict.fromkeys((*cls._arguments, *own)))
        cls._required = cls._required.union(own) - vars(cls).keys()
        cls.__match_args__ = cls._arguments  # type: ignore[attr-defined,misc]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        names = self._arguments
        given = dict(zip(names, args, strict=False)) | kwargs
        is_known = len(given) == len(args) + len(kwargs) and given.keys() <= set(names)
        if not is_known or not given.keys() >= self._required:
            raise _wrong(type(self), args, kwargs)
        # What is left to its default stays the class's.
        vars(self).update(given)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check the fields."""

    def _set(self, **fields: Any) -> None:
        vars(self).update(fields)

    def __setattr__(self, name: str, _: object) -> Never:
        raise _frozen(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> Never:
        raise _frozen(f"cannot delete field {name!r}")

    def _fields(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._arguments)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value) or type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        fields = zip(self._arguments, self._fields(), strict=True)
        return f"{type(self).__qualname__}({', '.join(f'{name}={it!r}' for name, it in fields)})"

    def __replace__(self, **changes: Any) -> Self:
        return type(self)(**dict(zip(self._arguments, self._fields(), strict=True)) | changes)


@cache
def _twin(cls: Any) -> Any:
    """The dataclass with the same fields."""
    import inspect  # noqa: PLC0415 - see above
    from dataclasses import field, make_dataclass  # noqa: PLC0415

    hints: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        hints |= getattr(each, "__annotations__", {})
    fields = [
        (name, hints[name], field())
        if name in cls._required
        else (name, hints[name], field(default=getattr(cls, name)))
        for name in cls._arguments
    ]
    twin: Any = make_dataclass(cls.__name__, fields, frozen=True)
    twin.__signature__ = inspect.signature(twin)
    return twin


def _wrong(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
    """Say it in Python's own words."""
    try:
        _twin(cls)(*args, **kwargs)
    except TypeError as error:
        return error.with_traceback(None)
    raise AssertionError("a dataclass would take these arguments")


def _frozen(words: str) -> AttributeError:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - see above

    return FrozenInstanceError(words)
