"""The flag in Consul's KV store, followed by blocking queries.

The rules are those of Consul's documentation, "Blocking Queries": an index is above 0, one that goes
backwards begins anew at 0, and a query that returns is no guarantee of a change. How often it is
asked is the updater's: a server that answers each query at once gets one per interval.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from tracedclient.debug.document import MAX_BYTES, excerpt
from tracedclient.debug.fetching.url import Target, parse_url
from tracedclient.debug.fetching.web import Web, refusal
from tracedclient.debug.source import (
    Absent,
    Document,
    Fetched,
    FlagSource,
    NotModified,
    SourceError,
)

if TYPE_CHECKING:
    from threading import Event

    from tracedclient.debug.fetching.web import Answer

_MAX_ANSWER = 2 * MAX_BYTES
"""Base64 makes a document a third longer, and other fields go with it."""
_HELD = 16 / 17
"""Of the time there is. The server adds up to a sixteenth, so that not all wake at once."""
_LONGEST = 600.0
"""Seconds: the server holds no query for longer."""


class ConsulSource(FlagSource):
    """A KV entry whose value is a flag document; a change is pushed. No such entry: off.

    url        of an agent; the one on the same host as a rule
    key        as given to ``consul kv put``
    token      of an ACL with ``key:read`` on the key
    dc         the datacenter asked; the agent's own when not given
    namespace  and ``partition``: of Consul Enterprise
    stale      let any server answer, not only the leader: less load on it, some 50 ms later
    verify     ``True``, ``False``, or the path of a bundle of certificate authorities
    cert       the client's certificate: path of one file with its key, or a pair of paths
    proxy      ``http://host:port``; proxies of the environment are not used
    connect    seconds for a TCP connection to one address
    total      seconds for a whole request, besides those that a query is held

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8500",
        key: str = "tracedclient/flag",
        *,
        token: str | None = None,
        dc: str | None = None,
        namespace: str | None = None,
        partition: str | None = None,
        stale: bool = False,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxy: str | None = None,
        connect: float = 1.0,
        total: float = 5.0,
    ) -> None:
        agent = _check_agent(url)
        _check_words(token=token, dc=dc, namespace=namespace, partition=partition)
        places = {"dc": dc, "ns": namespace, "partition": partition}
        self._query = {name: value for name, value in places.items() if value is not None}
        if stale:
            self._query["stale"] = ""
        self._url = f"{agent.shown.rstrip('/')}/v1/kv/{quote(_check_key(key))}"
        self.name = f"consul:{agent.peer}/{key}"
        self._web = Web(
            connect=connect,
            total=total,
            headers=None if token is None else {"X-Consul-Token": token},
            verify=verify,
            cert=cert,
            proxy=proxy,
            max_bytes=_MAX_ANSWER,
        )
        self._index = 0
        self._told: str | None = ""
        """The revision told last; ``None``: that there is no such entry; empty: nothing yet."""

    def fetch(self, previous: str | None, *, wait: float, cancel: Event) -> Fetched:
        """Read the entry, or wait for it to change. Raises ``SourceError`` without an answer."""
        # What the updater was told, it need not have taken: then it must hear it again, at once.
        index = self._index if previous == self._told else 0
        found = self._ask(index, min(wait, _LONGEST) if index else 0.0, cancel)
        self._index = found.at if found.at >= index else 0
        self._told = found.told
        if found.document is None:
            return Absent()
        return NotModified() if found.told == previous else found.document

    def _ask(self, index: int, held: float, cancel: Event) -> _Found:
        query = dict(self._query)
        if milliseconds := int(held * _HELD * 1000):
            query |= {"index": str(index), "wait": f"{milliseconds}ms"}
        url = f"{self._url}?{urlencode(query)}" if query else self._url
        answer = self._web.request("GET", url, wait=held, cancel=cancel)
        if answer.status not in (200, 404):
            raise _refusal(url, answer)
        return _Found(_document(answer), _index(url, answer))

    def after_fork(self) -> None:
        """Forget the parent's connections, and what it was told."""
        self._web.after_fork()
        self._index = 0
        self._told = ""

    def close(self) -> None:
        """Close the connections."""
        self._web.close()


class _Found(NamedTuple):
    document: Document | None
    at: int
    """The index to wait from."""

    @property
    def told(self) -> str | None:
        return None if self.document is None else self.document.revision


class _Entry(msgspec.Struct, frozen=True, rename="pascal"):
    modify_index: int
    value: bytes | None = None


_entries = msgspec.json.Decoder(list[_Entry])


def _document(answer: Answer) -> Document | None:
    if answer.status == 404:
        return None
    try:
        entry = _entries.decode(answer.body)[0]
    except (msgspec.DecodeError, UnicodeError, RecursionError, IndexError):
        raise SourceError("the answer is not that of Consul's KV store") from None
    body = entry.value or b""
    # A cluster that was restored or set up anew gives a number out once more.
    return Document(body, f"{entry.modify_index}-{hashlib.sha256(body).hexdigest()[:12]}")


def _index(url: str, answer: Answer) -> int:
    """Return the index to wait from. Raises ``SourceError``: without one, it is not Consul's."""
    if answer.headers.get("X-Consul-KnownLeader") == "false":
        raise SourceError("Consul has no leader: what it answers may be out of date")
    index = answer.headers.get("X-Consul-Index", "")
    if not index.isdecimal():
        raise SourceError(f"{refusal(url, answer)} without X-Consul-Index: is that a Consul agent?")
    return int(index)


def _refusal(url: str, answer: Answer) -> SourceError:
    """Return the error in Consul's own words, which are plain text of one line."""
    error = refusal(url, answer)
    words = answer.body.decode(errors="replace").strip()
    if not answer.headers.get("Content-Type", "").startswith("text/plain") or not words:
        return error
    return SourceError(f"{error}: {excerpt(words, 140)}", retry_after=error.retry_after)


def _check_words(**words: object) -> None:
    for name, word in words.items():
        if not isinstance(word, (str, type(None))):
            raise TypeError(f"{name} must be a str or None, not {type(word).__name__}")


def _check_agent(url: str) -> Target:
    agent = parse_url(url)
    if agent.userinfo is not None:
        raise ValueError("url holds no credentials: pass token=")
    if "?" in agent.path:
        raise ValueError("url has no query: pass dc=, namespace=, partition=, stale=")
    return agent


def _check_key(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"key must be a str, not {type(key).__name__}")
    if not key or key.startswith("/") or not key.isprintable():
        raise ValueError(f"key must be printable, and not begin with a slash, unlike {key!r}")
    return key
