"""Where in Apollo the flag stands: app, cluster, namespace, key; and what can be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tracedclient.debug.fetching.url import parse_url
from tracedclient.debug.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_KEY = "tracedclient.trace"
CONTENT = "content"
"""The one key of a namespace that is a file."""
_FILES = (".json", ".yaml", ".yml", ".txt")


class Place(NamedTuple):
    """One value of Apollo."""

    app_id: str
    cluster: str
    namespace: str
    key: str

    @classmethod
    def checked(cls, app_id: str, cluster: str, namespace: str, key: str | None) -> Place:
        """Raises ``TypeError`` and ``ValueError``."""
        _check(app_id=app_id, cluster=cluster, namespace=namespace)
        is_file = namespace.lower().endswith(_FILES)
        if namespace.lower().endswith(".xml"):
            raise ValueError("namespace must not be of XML: the flag is a JSON document")
        if is_file and key not in {None, CONTENT}:
            raise ValueError(f"key must not be given: {namespace!r} holds one document")
        if key is not None:
            _check(key=key)
        default = CONTENT if is_file else DEFAULT_KEY
        return cls(app_id, cluster, namespace, key or default)

    def __str__(self) -> str:
        place = f"{self.app_id}/{self.cluster}/{self.namespace}"
        return place if self.key == CONTENT else f"{place}/{self.key}"

    def check(self, value: str) -> None:
        """Raises ``SourceError`` for YAML that is not JSON as well."""
        if not self.namespace.lower().endswith((".yaml", ".yml")):
            return
        try:
            msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            raise SourceError(
                f"the namespace {self.namespace} holds YAML that is not JSON; "
                "write the document as JSON, which YAML allows"
            ) from None


def check_given(**arguments: str | None) -> None:
    """Look at those that are not ``None``. Raises ``TypeError`` and ``ValueError``."""
    _check(**{name: value for name, value in arguments.items() if value is not None})


def _check(**arguments: str) -> None:
    for argument, value in arguments.items():
        if not isinstance(value, str):
            raise TypeError(f"{argument} must be a str, not {type(value).__name__}")
        if not value or not value.isprintable() or value != value.strip():
            # Not the value: it may be the access key.
            raise ValueError(f"{argument} must be printable, not empty, and without outer spaces")


def addresses(argument: str, value: str | Sequence[str]) -> list[str]:
    """Return the base URLs in ``value``, which may be one, several, or a list with commas.

    Raises ``TypeError`` and ``ValueError``.
    """
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, (list, tuple)):
        raise TypeError(f"{argument} must be a str or a list of them, not {type(value).__name__}")
    found = [_address(argument, each) for each in given]
    return list(dict.fromkeys(found))


def _address(argument: str, url: str) -> str:
    url = url.strip() if isinstance(url, str) else url
    if "?" in parse_url(url, argument=argument).path:
        raise ValueError(f"{argument} must have no query")
    return url.rstrip("/")
