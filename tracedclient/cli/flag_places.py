"""Where an operator's document goes, and is read: a file, etcd, Apollo; read only: a URL."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from tracedclient.cli.flag_file import replace_file
from tracedclient.debug import ApolloSource, FileSource, HTTPSource
from tracedclient.debug.fetching.url import parse_url
from tracedclient.debug.source import Document
from tracedclient.debug.sources.apollo.openapi import ApolloPublisher
from tracedclient.debug.sources.etcd import EtcdSource
from tracedclient.debug.sources.etcd_publisher import EtcdPublisher

if TYPE_CHECKING:
    import argparse

    from tracedclient.debug.source import FlagSource

APOLLO_TOKEN = "TRACEDCLIENT_APOLLO_TOKEN"  # noqa: S105 - the name of a variable
APOLLO_ACCESS_KEY = "TRACEDCLIENT_APOLLO_ACCESS_KEY"
ETCD_PASSWORD = "TRACEDCLIENT_ETCD_PASSWORD"  # noqa: S105
AUTHORIZATION = "TRACEDCLIENT_HTTP_AUTHORIZATION"
"""Secrets come from the environment: arguments are seen by every user of the machine."""


class Place(ABC):
    """Where a document is read. Used by one command, then closed."""

    name: str

    @abstractmethod
    def read(self) -> bytes | None:
        """Return what is there; ``None``: nothing. Raises ``SourceError``, ``PublishError``."""

    @abstractmethod
    def close(self) -> None:
        """Close what it has opened."""


class WritablePlace(Place):
    """Where a document is put, too."""

    @abstractmethod
    def write(self, body: bytes, reason: str) -> None:
        """Put ``body`` there. Raises ``SourceError``, ``PublishError``, ``OSError``, ``ValueError``."""


class _SourcePlace(Place):
    """What a service reads, read as it does."""

    def __init__(self, source: FlagSource) -> None:
        self._source = source
        self.name = source.name

    def read(self) -> bytes | None:
        fetched = self._source.fetch(None, wait=0.0, cancel=threading.Event())
        return fetched.body if isinstance(fetched, Document) else None

    def close(self) -> None:
        self._source.close()


class _FilePlace(_SourcePlace, WritablePlace):
    def __init__(self, path: str) -> None:
        super().__init__(FileSource(path))
        self._path = path

    def write(self, body: bytes, reason: str) -> None:  # noqa: ARG002 - it stands in the document
        replace_file(self._path, body)


class _EtcdPlace(_SourcePlace, WritablePlace):
    def __init__(self, source: EtcdSource, publisher: EtcdPublisher) -> None:
        super().__init__(source)
        self._publisher = publisher

    def write(self, body: bytes, reason: str) -> None:  # noqa: ARG002 - it stands in the document
        self._publisher.publish(body)

    def close(self) -> None:
        super().close()
        self._publisher.close()


class _ApolloPlace(WritablePlace):
    def __init__(self, publisher: ApolloPublisher) -> None:
        self._publisher = publisher
        self.name = publisher.name

    def read(self) -> bytes | None:
        value = self._publisher.released()
        return None if value is None else value.encode(errors="surrogatepass")

    def write(self, body: bytes, reason: str) -> None:
        self._publisher.publish(body, reason=reason)

    def close(self) -> None:
        self._publisher.close()


def place_to_write(options: argparse.Namespace) -> WritablePlace | None:
    """Return the place that was named; ``None`` when there was none.

    Raises ``ValueError`` for what cannot be one.
    """
    if options.file is not None:
        return _FilePlace(options.file)
    if options.etcd:
        return _etcd(options)
    return None if options.apollo is None else _apollo(options)


def place_to_read(options: argparse.Namespace) -> Place:
    """Return the place that was named. Raises ``ValueError`` for what cannot be one."""
    place = place_to_write(options)
    if place is not None:
        return place
    return _url(options) if options.apollo_meta is None else _apollo_meta(options)


def _etcd(options: argparse.Namespace) -> WritablePlace:
    password = os.environ.get(ETCD_PASSWORD)
    if (options.user is None) != (password is None):
        raise ValueError(f"--user and a password in {ETCD_PASSWORD} need each other")
    settings: dict[str, Any] = {
        "user": options.user,
        "password": password,
        "verify": options.cacert or True,
        "cert": options.cert,
    }
    key = {} if options.key is None else {"key": options.key}
    source = EtcdSource(options.etcd, **key, **settings)
    return _EtcdPlace(source, EtcdPublisher(options.etcd, **key, **settings))


def _apollo(options: argparse.Namespace) -> WritablePlace:
    return _ApolloPlace(
        ApolloPublisher(
            options.apollo,
            _secret(APOLLO_TOKEN, "the token of an application that may change the namespace"),
            env=options.env,
            operator=options.operator,
            **_in_apollo(options),
        )
    )


def _apollo_meta(options: argparse.Namespace) -> Place:
    key = os.environ.get(APOLLO_ACCESS_KEY)
    return _SourcePlace(
        ApolloSource(
            meta=options.apollo_meta, access_key=key, label=options.label, **_in_apollo(options)
        )
    )


def _in_apollo(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "app_id": options.app,
        "cluster": options.cluster,
        "namespace": options.namespace,
        "key": options.key,
        "verify": options.cacert or True,
    }


def _url(options: argparse.Namespace) -> Place:
    if parse_url(options.url).userinfo is not None:
        raise ValueError(
            "a password in an argument is seen by every user of this machine; put the value of "
            f"the header Authorization into {AUTHORIZATION}"
        )
    authorization = os.environ.get(AUTHORIZATION)
    headers = {} if authorization is None else {"Authorization": authorization}
    return _SourcePlace(HTTPSource(options.url, headers=headers, verify=options.cacert or True))


def _secret(variable: str, what: str) -> str:
    value = os.environ.get(variable, "").strip()
    if not value:
        raise ValueError(f"{what} must stand in the environment, in {variable}")
    return value
