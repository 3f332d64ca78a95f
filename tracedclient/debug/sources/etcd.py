"""The flag in etcd: read, then watched from the revision after that read, so that nothing is lost.

Each fetch reads first. That makes the watch a mere bell: after a compaction, a restart, another
member, a cluster that was restored from a backup, what counts is what the key holds now.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.debug.fetching.web import Web
from tracedclient.debug.source import Absent, Document, Fetched, FlagSource, NotModified
from tracedclient.debug.sources.etcd_gateway import MAX_ANSWER, Gateway, explain
from tracedclient.debug.sources.etcd_messages import KeyValue, RangeResponse, WatchLine, decode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from tracedclient.debug.sources.etcd_messages import WatchResponse


class EtcdSource(FlagSource):
    """A key whose value is a flag document; a change is pushed. No such key: off.

    endpoints  ``"http://etcd-1:2379"``, or several; another member is asked when one fails
    key        as given to ``etcdctl put``
    user       and ``password``: of a user who may read the key, when authentication is on
    verify     ``True``, ``False``, or the path of a bundle of certificate authorities
    cert       the client's certificate: path of one file with its key, or a pair of paths
    proxy      ``http://host:port``; proxies of the environment are not used
    prefix     of the JSON gateway: ``/v3`` since etcd 3.4, ``/v3beta`` with 3.3
    connect    seconds for a TCP connection to one address
    total      seconds for a whole request, besides those that a watch is held

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work.
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        key: str = "/tracedclient/flag",
        *,
        user: str | None = None,
        password: str | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxy: str | None = None,
        prefix: str = "/v3",
        connect: float = 1.0,
        total: float = 5.0,
    ) -> None:
        web = Web(
            connect=connect,
            total=total,
            verify=verify,
            cert=cert,
            proxy=proxy,
            max_bytes=MAX_ANSWER,
        )
        self._gateway = Gateway(endpoints, prefix=prefix, user=user, password=password, web=web)
        self._key = check_key(key)
        self.name = name_of(self._gateway, key)
        self._told: str | None = ""
        """The revision told last; ``None``: that there is no such key; empty: nothing yet."""

    def fetch(self, previous: str | None, *, wait: float, cancel: Event) -> Fetched:
        """Read the key; when that is no news, watch it. Raises ``SourceError`` without an answer."""
        found = self._read(cancel)
        # What the updater was told, it need not have taken: then it must hear it again, at once.
        if wait > 0 and found.told == previous == self._told:
            found = self._watch(found, wait, cancel)
        self._told = found.told
        if found.document is None:
            return Absent()
        return NotModified() if found.told == previous else found.document

    def _read(self, cancel: Event) -> _Found:
        body = self._gateway.ask("/kv/range", {"key": self._key}, cancel=cancel)
        answer = decode(body, RangeResponse)
        return _found(answer.kvs[0] if answer.kvs else None, answer.header.revision)

    def _watch(self, found: _Found, wait: float, cancel: Event) -> _Found:
        """Return what the key holds after its next change, or ``found`` when there is none."""
        request = {"create_request": {"key": self._key, "start_revision": found.store + 1}}
        lines = self._gateway.stream("/watch", request, wait=wait, cancel=cancel)
        with closing(lines):
            for line in filter(None, lines):
                said = _result(line)
                if said.compact_revision:
                    return self._read(cancel)
                if said.canceled:
                    raise explain(f"etcd ended the watch: {said.cancel_reason}")
                if said.events:
                    last = said.events[-1]
                    kept = None if last.type == "DELETE" else last.kv
                    return _found(kept, said.header.revision)
        return found

    def after_fork(self) -> None:
        """Forget the parent's connections, and what it was told."""
        self._gateway.after_fork()
        self._told = ""

    def close(self) -> None:
        """Close the connections."""
        self._gateway.close()


class _Found(NamedTuple):
    document: Document | None
    store: int
    """The store's revision at which the key held this."""

    @property
    def told(self) -> str | None:
        return None if self.document is None else self.document.revision


def _found(kept: KeyValue | None, store: int) -> _Found:
    if kept is None:
        return _Found(None, store)
    return _Found(Document(kept.value, revision_of(kept.mod_revision, kept.value)), store)


def _result(line: bytes) -> WatchResponse:
    said = decode(line, WatchLine)
    if said.error is not None or said.result is None:
        raise explain(f"etcd ended the watch: {said.error.message if said.error else 'no reason'}")
    return said.result


def revision_of(mod_revision: int, body: bytes) -> str:
    """Name a document: etcd's number, which a cluster that was set up anew gives out once more."""
    return f"{mod_revision}-{hashlib.sha256(body).hexdigest()[:12]}"


def name_of(gateway: Gateway, key: str) -> str:
    """Return ``etcd:etcd-1:2379,etcd-2:2379/tracedclient/flag``."""
    return f"etcd:{gateway.peers}{key if key.startswith('/') else f'/{key}'}"


def check_key(key: str) -> bytes:
    """Return the key's bytes. Raises ``TypeError`` and ``ValueError``."""
    if not isinstance(key, str):
        raise TypeError(f"key must be a str, not {type(key).__name__}")
    if not key or not key.isprintable():
        raise ValueError(f"key must be a name of printable characters, not {key!r}")
    return key.encode()
