"""What Apollo's answers mean. Pure: bytes → values, or ``Unusable``."""

from __future__ import annotations

import json
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from tracedclient.debug.document import excerpt
from tracedclient.debug.source import SourceError

T = TypeVar("T")


class Unusable(SourceError):
    """A success whose body is not what Apollo answers, or not what this version knows."""


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """One key that differs from the release that the client has."""

    key: str
    configuration_change_type: str
    new_value: str | None = None


class Config(msgspec.Struct, frozen=True, rename="camel"):
    """The answer of ``/configs``: all values, or what has changed."""

    release_key: str
    configurations: dict[str, str] | None = None
    config_sync_type: str | None = None
    configuration_changes: list[Change] | None = None


class _Messages(msgspec.Struct, frozen=True):
    details: dict[str, int] = {}


class _Notification(msgspec.Struct, frozen=True, rename="camel"):
    namespace_name: str
    notification_id: int
    messages: _Messages | None = None


class _Instance(msgspec.Struct, frozen=True, rename="camel"):
    homepage_url: str


class Seen(msgspec.Struct, frozen=True):
    """Which notification counts as dealt with."""

    id: int = -1
    """The server answers at once a client that says -1, if there ever was a release."""
    details: dict[str, int] = {}
    """Tells a node that is behind that its cache is: ``app+cluster+namespace`` → id."""

    def notified(self, notification: _Notification) -> Seen:
        """Return what is seen once ``notification`` is."""
        news = notification.messages.details if notification.messages else {}
        # A node that is behind may tell of less than another did before.
        newest = {place: max(number, self.details.get(place, -1)) for place, number in news.items()}
        return Seen(notification.notification_id, {**self.details, **newest})

    @property
    def messages(self) -> str | None:
        """The parameter ``messages`` of ``/configs``, if there is anything to tell."""
        return _compact({"details": self.details}) if self.details else None


def value_after(config: Config, key: str, before: str | None) -> str | None:
    """Return the value of ``key``; ``before`` is that of the release which the request named.

    Raises ``Unusable`` for a kind of answer that this version does not know.
    """
    if config.config_sync_type == "IncrementalSync":
        return _changed(config.configuration_changes or [], key, before)
    if config.configurations is None or config.config_sync_type not in {None, "", "FullSync"}:
        kind = excerpt(str(config.config_sync_type))
        raise Unusable(f"Apollo answered with a configSyncType that is not known here: {kind}")
    return config.configurations.get(key)


def _changed(changes: list[Change], key: str, before: str | None) -> str | None:
    for change in changes:
        if change.key == key:
            deleted = change.configuration_change_type == "DELETED"
            return None if deleted else change.new_value
    return before


def read_config(body: bytes) -> Config:
    """Raises ``Unusable``."""
    return _decode(body, Config, "/configs")


def read_notifications(body: bytes, seen: Seen) -> Seen:
    """Return ``seen`` with the first of the notifications: one namespace is asked for."""
    notifications = _decode(body, list[_Notification], "/notifications/v2")
    if not notifications:
        raise Unusable("Apollo answered /notifications/v2 with an empty list")
    return seen.notified(notifications[0])


def read_instances(body: bytes) -> list[str]:
    """Return the addresses of the config services that a meta server knows."""
    found = _decode(body, list[_Instance], "/services/config")
    return [instance.homepage_url for instance in found]


def is_apollos_error(body: bytes) -> bool:
    """Whether an error comes from Apollo, and not from a proxy in front of it."""
    try:
        return "status" in msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False


def _decode(body: bytes, kind: type[T], path: str) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Unusable(f"the answer to {path} is not Apollo's: {excerpt(str(error))}") from None


def configs_path(app_id: str, cluster: str, namespace: str, query: dict[str, str | None]) -> str:
    """Return path and query of a read, percent-encoded."""
    place = "/".join(quote(part, safe="") for part in (app_id, cluster, namespace))
    return _with_query(f"/configs/{place}", query)


def poll_path(namespace: str, seen: Seen, query: dict[str, str | None]) -> str:
    """Return path and query of a long poll, percent-encoded."""
    asked = _compact([{"namespaceName": namespace, "notificationId": seen.id}])
    return _with_query("/notifications/v2", {**query, "notifications": asked})


def services_path(app_id: str) -> str:
    """Return path and query of the question to a meta server."""
    return _with_query("/services/config", {"appId": app_id})


def _with_query(path: str, query: dict[str, str | None]) -> str:
    known = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(known, quote_via=quote)}" if known else path


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
