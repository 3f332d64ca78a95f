"""``ApolloSource``: the flag in a namespace of Apollo, which pushes it."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import msgspec

from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.fetching.arguments import check_seconds
from tracedclient.debug.fetching.web import Answer, Web
from tracedclient.debug.source import (
    Absent,
    Document,
    Fetched,
    FlagSource,
    NotModified,
    SourceError,
)
from tracedclient.debug.sources.apollo.places import Place, addresses, check_given
from tracedclient.debug.sources.apollo.protocol import (
    Seen,
    Unusable,
    configs_path,
    poll_path,
    read_config,
    read_notifications,
    value_after,
)
from tracedclient.debug.sources.apollo.servers import Servers
from tracedclient.debug.sources.apollo.services import ConfigServices

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

_MAX_CONFIG = 4 * 1024 * 1024
"""Bytes of a whole namespace, of which the flag is one value."""
_POLLS = 2
"""Long polls in one fetch: one that tells of nothing new for us is followed by another, once."""
_SHORT = 1.0
"""Seconds for which a poll is tried again that failed where a read went well: else each read would
declare all well, and each poll that it is not."""
_INSIST = 60.0
"""Seconds for which a document is handed over again and again that the updater does not take: one
that comes too soon after another is taken in the end, one that is invalid never."""


class _Known(msgspec.Struct, frozen=True):
    """What the last read brought."""

    release_key: str | None = None
    value: str | None = None
    revision: str | None = None
    """The release in which the value became what it is: others of the namespace change nothing."""


class ApolloSource(FlagSource):
    """A value of a namespace of Apollo. No such namespace, release or key: off.

    app_id          the app that owns the namespace, or uses it when it is public
    meta            address of the meta server, or several: ``http://apollo-meta:8080``
    config_service  addresses of config services, instead of ``meta``: where those that the meta
                    server names cannot be reached (Kubernetes, NAT)
    namespace       ``.json .yaml .yml .txt`` hold one document; any other name is of properties
    key             of a namespace of properties; ``tracedclient.trace`` when not given
    access_key      the app's secret, if it has access keys
    ip, label       what a gray release chooses by; ``ip`` is this host's address when not given
    data_center     the cluster to look in when ``cluster`` has no such namespace
    timeout         seconds for a whole request, besides what a poll is held for
    headers, verify, proxy  as for ``HTTPSource``
    draw            a random number between 0 and 1, by which a server is chosen
    clock           seconds that only grow, by which servers and documents grow old

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work.
    """

    # Apollo ends a poll after 60 s, and until then keeps one whose client has left: leaving
    # earlier would double what it has to wake when the flag is flipped.
    hold = 65.0

    def __init__(
        self,
        app_id: str,
        *,
        meta: str | Sequence[str] = (),
        config_service: str | Sequence[str] = (),
        cluster: str = "default",
        namespace: str = "tracedclient.json",
        key: str | None = None,
        access_key: str | None = None,
        ip: str | None = None,
        label: str | None = None,
        data_center: str | None = None,
        timeout: float = 5.0,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
        proxy: str | None = None,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = Place.checked(app_id, cluster, namespace, key)
        check_given(access_key=access_key, ip=ip, label=label, data_center=data_center)
        check_seconds("timeout", timeout)
        self.name = f"apollo:{self._place}"
        self._web = Web(
            total=timeout, headers=headers, verify=verify, proxy=proxy, max_bytes=_MAX_CONFIG
        )
        given, metas = addresses("config_service", config_service), addresses("meta", meta)
        if bool(given) == bool(metas):
            raise ValueError("pass meta=, or config_service=, and not both")
        self._servers = Servers(self._web, app_id, given=given, meta=metas, draw=draw, clock=clock)
        self._services = ConfigServices(
            self._web, self._servers, app_id, access_key=access_key, proxy=proxy
        )
        self._ip = ip
        self._clock = clock
        self._query = {"label": label, "dataCenter": data_center}
        self._forget()

    def _forget(self) -> None:
        self._known: _Known | None = None
        self._seen = Seen()
        self._in_force = False
        self._changed_at = 0.0
        self._polls_fail = False

    def fetch(self, previous: str | None, *, wait: float, cancel: threading.Event) -> Fetched:
        """Read; or wait for a notification, and then read. Raises ``SourceError``."""
        if self._known is not None and previous == self._known.revision:
            self._in_force = True
        if self._known is None or self._is_due(previous):
            anew = previous is None
            if anew:
                # The ids of a database that was restored begin again below those known.
                self._seen = Seen(details=self._seen.details)
            return self._read(previous, self._seen, cancel, anew=anew)
        if wait <= 0 and not self._polls_fail:
            return self._read(previous, self._seen, cancel)
        return self._watch(previous, wait if wait > 0 else _SHORT, cancel)

    def after_fork(self) -> None:
        self._web.after_fork()
        self._servers.shuffle()

    def close(self) -> None:
        self._web.close()
        self._forget()

    def _is_due(self, previous: str | None) -> bool:
        """Whether to read at once: again, until what a notification told of is in force."""
        # What is absent, or invalid, is not asked for in a loop: its change is notified too.
        return previous != self._revision and not self._is_refused

    @property
    def _is_refused(self) -> bool:
        return not self._in_force and self._clock() - self._changed_at >= _INSIST

    @property
    def _revision(self) -> str | None:
        return None if self._known is None else self._known.revision

    def _watch(self, previous: str | None, wait: float, cancel: threading.Event) -> Fetched:
        end = time.monotonic() + wait
        for _ in range(_POLLS):
            waited_from = self._seen
            try:
                noticed = self._poll(max(0.0, end - time.monotonic()), cancel)
            except SourceError as error:
                return self._read_in_spite_of(error, previous, cancel)
            self._polls_fail = False
            if noticed is waited_from and previous is not None and previous == self._revision:
                return NotModified()
            before = self._revision
            fetched = self._read(previous, noticed or self._seen, cancel)
            if noticed is None or noticed is waited_from or self._revision != before:
                return fetched
        return fetched

    def _poll(self, wait: float, cancel: threading.Event) -> Seen | None:
        """Return what is seen now; ``None`` when the poll was cut, and has told nothing."""
        query = {
            "appId": self._place.app_id,
            "cluster": self._place.cluster,
            "dataCenter": self._query["dataCenter"],
            "ip": self._address(cancel),
        }
        path = poll_path(self._place.namespace, self._seen, query)
        answer = self._services.poll(path, wait, cancel)
        if answer is None:
            return None
        if answer.status == 200:
            return read_notifications(answer.body, self._seen)
        if answer.status == 304:
            self._servers.rebalance()
            return self._seen
        raise SourceError("Apollo has no /notifications/v2 there: is it a config service?")

    def _read_in_spite_of(
        self, error: SourceError, previous: str | None, cancel: threading.Event
    ) -> Fetched:
        """The polls fail, which must be told and cost a pause; but no change waits for that."""
        if cancel.is_set():
            raise error
        before = self._revision
        fetched = self._read(previous, self._seen, cancel)
        if self._revision == before:
            self._polls_fail = True
            raise error
        return fetched

    def _read(
        self, previous: str | None, seen: Seen, cancel: threading.Event, *, anew: bool = False
    ) -> Fetched:
        base = _Known() if anew or self._known is None else self._known
        query = {
            "releaseKey": base.release_key,
            "messages": seen.messages,
            "ip": self._address(cancel),
            **self._query,
        }
        place = self._place
        path = configs_path(place.app_id, place.cluster, place.namespace, query)
        answer = self._services.read(path, cancel)
        try:
            known = self._understood(answer, base)
        except Unusable:
            if anew:
                raise
            return self._read(previous, seen, cancel, anew=True)
        self._know(known)
        self._seen = seen
        return self._fetched(known, previous)

    def _understood(self, answer: Answer, base: _Known) -> _Known:
        if answer.status == 404:
            return _Known()
        if answer.status == 304:
            if base.release_key is None:
                raise Unusable("Apollo answered 304 to a question for all there is")
            return base
        config = read_config(answer.body)
        value = value_after(config, self._place.key, base.value)
        if value is None:
            return _Known(config.release_key)
        same = self._known is not None and self._known.value == value
        revision = self._revision if same else config.release_key
        return _Known(config.release_key, value, revision)

    def _know(self, known: _Known) -> None:
        if self._known is None or known.revision != self._known.revision:
            self._in_force = False
            self._changed_at = self._clock()
        self._known = known

    def _fetched(self, known: _Known, previous: str | None) -> Fetched:
        if known.value is None or known.revision is None:
            return Absent()
        if known.revision == previous:
            return NotModified()
        self._place.check(known.value)
        # Not all strings of JSON are UTF-8; whatever they are, the document's parser says so.
        body = known.value.encode(errors="surrogatepass")
        return Document(body[: MAX_BYTES + 1], known.revision)

    def _address(self, cancel: threading.Event) -> str | None:
        return self._services.own_address(cancel) if self._ip is None else self._ip
