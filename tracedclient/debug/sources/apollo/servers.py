"""Which config service is asked: those that a meta server names, or those given.

They begin in random order, so that a thousand processes do not all ask the first. The one in front
is asked until it fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.debug.fetching.url import parse_url
from tracedclient.debug.fetching.web import refusal
from tracedclient.debug.source import SourceError
from tracedclient.debug.sources.apollo.protocol import read_instances, services_path

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from tracedclient.debug.fetching.web import Web

_REFRESH = 300.0
_REFRESH_AFTER_FAILURE = 30.0
_MAX_TRIED = 3
"""Servers that one request is tried at: a fetch has to end."""


class Servers:
    """Addresses of config services, the best guess first.

    given  config services; then no meta server is asked
    meta   meta servers, tried in turn
    draw   a random number between 0 and 1
    clock  seconds that only grow
    """

    def __init__(
        self,
        web: Web,
        app_id: str,
        *,
        given: Iterable[str],
        meta: Iterable[str],
        draw: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._web = web
        self._app_id = app_id
        self._draw = draw
        self._clock = clock
        self._meta = list(meta)
        self._known = list(given)
        self._refresh_at = clock()
        self.shuffle()

    def shuffle(self) -> None:
        """Begin with another one, perhaps."""
        self._known.sort(key=lambda _: self._draw())

    def to_try(self, cancel: threading.Event) -> list[str]:
        """Return the servers to try, in order. Raises ``SourceError`` when there are none."""
        if self._meta and self._clock() >= self._refresh_at:
            self._refresh(cancel)
        return self._known[:_MAX_TRIED]

    def failed(self, server: str) -> None:
        """Ask ``server`` last, and the meta server soon: it may know that it has gone."""
        if server in self._known:
            self._known.remove(server)
            self._known.append(server)
        self._refresh_at = min(self._refresh_at, self._clock() + _REFRESH_AFTER_FAILURE)

    def rebalance(self) -> None:
        """Go on to the next, every other time: a server that came back gets its share."""
        if len(self._known) > 1 and self._draw() < 0.5:
            self._known.append(self._known.pop(0))

    def _refresh(self, cancel: threading.Event) -> None:
        try:
            found = self._discover(cancel)
        except SourceError:
            if not self._known:
                raise
            self._refresh_at = self._clock() + _REFRESH_AFTER_FAILURE
            return
        self._refresh_at = self._clock() + _REFRESH
        kept = [server for server in self._known if server in found]
        new = [server for server in found if server not in kept]
        self._known = kept + sorted(new, key=lambda _: self._draw())

    def _discover(self, cancel: threading.Event) -> list[str]:
        problem = SourceError("no meta server was asked")
        for meta in list(self._meta):
            try:
                return self._ask(meta, cancel)
            except SourceError as error:
                problem = SourceError(f"meta server: {error}", retry_after=error.retry_after)
                self._meta.append(self._meta.pop(0))
        raise problem

    def _ask(self, meta: str, cancel: threading.Event) -> list[str]:
        url = meta + services_path(self._app_id)
        answer = self._web.request("GET", url, cancel=cancel)
        if answer.status != 200:
            raise refusal(url, answer)
        found = [each.rstrip("/") for each in read_instances(answer.body) if _is_url(each)]
        if not found:
            raise SourceError(f"{parse_url(url).peer} knows no config service")
        return list(dict.fromkeys(found))


def _is_url(text: str) -> bool:
    try:
        parse_url(text)
    except ValueError:
        return False
    return True
