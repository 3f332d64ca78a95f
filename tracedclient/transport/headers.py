"""requests' ``CaseInsensitiveDict``, without its detours: it copies, fills and asks itself name by name,
through methods that any mapping has. Nearly all of what a call costs in headers was that.

``tests/transport/test_headers.py`` holds each to what requests' own way comes to.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def pairs(headers: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """Return names and values; requests' own way through its dict looks each of them up again."""
    if type(headers) is CaseInsensitiveDict:
        return headers._store.values()  # noqa: SLF001 - there is no public way around it
    return headers.items()


def has(headers: Mapping[str, Any], key: str) -> bool:
    """Whether ``headers`` have ``key``, which is in lower case. Theirs raises an error to find out."""
    if type(headers) is CaseInsensitiveDict:
        return key in headers._store  # noqa: SLF001 - as above
    return key in headers


def value_of(headers: Mapping[str, Any], key: str) -> Any:
    """Return the value of ``key``, which is in lower case, or ``None``."""
    if type(headers) is CaseInsensitiveDict:
        found = headers._store.get(key)  # noqa: SLF001 - as above
        return None if found is None else found[1]
    return headers.get(key)


def copied(headers: CaseInsensitiveDict[Any]) -> CaseInsensitiveDict[Any]:
    """Return a copy of ``headers``."""
    return _made(headers._store.copy())  # noqa: SLF001 - as above


def joined(fields: Iterable[tuple[str, str]]) -> CaseInsensitiveDict[str]:
    """Return an answer's fields: several of one name as one, as urllib3 joins them; each named as its
    first was.
    """
    store: OrderedDict[str, tuple[str, str]] = OrderedDict()
    for field in fields:
        name, value = field
        key = name.lower()
        first = store.get(key)
        store[key] = field if first is None else (first[0], f"{first[1]}, {value}")
    return _made(store)


def _made(store: OrderedDict[str, tuple[str, Any]]) -> CaseInsensitiveDict[Any]:
    headers: CaseInsensitiveDict[Any] = CaseInsensitiveDict.__new__(CaseInsensitiveDict)
    headers._store = store  # noqa: SLF001 - all that there is in one
    return headers
