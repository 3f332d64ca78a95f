"""requests' ``CaseInsensitiveDict``, without its detours: it copies, fills and asks itself name by name,
through methods that any mapping has. Nearly all of what a call costs in headers was that.

``tests/transport/test_headers.py`` holds each to what requests' own way comes to.
"""

from __future__ import annotations

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


def has_any(headers: Mapping[str, Any], keys: frozenset[str]) -> bool:
    """Whether ``headers`` have one of ``keys``, which are in lower case."""
    if type(headers) is CaseInsensitiveDict:
        return not keys.isdisjoint(headers._store)  # noqa: SLF001 - as above
    return any(key in headers for key in keys)


def merged(ours: CaseInsensitiveDict[Any], theirs: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return both by their names in lower case; for a name that both have, what is in ``theirs``."""
    store = ours._store.copy()  # noqa: SLF001 - as above
    if type(theirs) is dict:
        for name, value in theirs.items():
            store[name.lower()] = (name, value)
    elif theirs:
        made(store).update(theirs)
    return store


def by_key(headers: Mapping[str, Any]) -> Mapping[str, tuple[Any, Any]] | None:
    """Return names and values by the names in lower case; ``None`` of another mapping than requests'."""
    return headers._store if type(headers) is CaseInsensitiveDict else None  # noqa: SLF001 - as above


def put(headers: Any, fields: Iterable[tuple[str, str, str | None]], middle: str) -> None:
    """Set ``fields`` in ``headers``: each a name, and a value up to ``middle`` and from there; ``None``
    for a value without it.
    """
    store = headers._store if type(headers) is CaseInsensitiveDict else None  # noqa: SLF001 - as above
    for name, before, after in fields:
        value = before if after is None else before + middle + after
        if store is None:
            headers[name] = value
        else:
            store[name.lower()] = (name, value)


def joined(fields: Iterable[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Return an answer's fields by their names in lower case: several of one name as one, as urllib3
    joins them; each named as its first was.
    """
    store: dict[str, tuple[str, str]] = {}
    for field in fields:
        name, value = field
        key = name.lower()
        first = store.get(key)
        store[key] = field if first is None else (first[0], f"{first[1]}, {value}")
    return store


def made(store: dict[str, tuple[str, Any]]) -> CaseInsensitiveDict[Any]:
    """Return headers of names and values by the names in lower case, which are theirs from now on."""
    headers: CaseInsensitiveDict[Any] = CaseInsensitiveDict.__new__(CaseInsensitiveDict)
    headers._store = store  # type: ignore[assignment] # noqa: SLF001 - all that there is in one
    return headers
