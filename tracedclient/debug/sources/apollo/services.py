"""``ConfigServices``: one question to whichever config service answers it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracedclient.debug.fetching.url import parse_url
from tracedclient.debug.source import SourceError
from tracedclient.debug.sources.apollo.address import address_towards
from tracedclient.debug.sources.apollo.protocol import is_apollos_error
from tracedclient.debug.sources.apollo.refusals import refused
from tracedclient.debug.sources.apollo.signature import signed

if TYPE_CHECKING:
    import threading

    from tracedclient.debug.fetching.web import Answer, Web
    from tracedclient.debug.sources.apollo.servers import Servers

_HELD = 5.0
"""Seconds, or else a sixth of the time for which a poll may be held: one that ends later was held,
and then cut."""


class ConfigServices:
    """Signs, asks, and goes on to the next when one is out of order.

    access_key  the app's secret; ``None`` when it has none
    proxy       through which they are asked, if through one
    """

    def __init__(
        self,
        web: Web,
        servers: Servers,
        app_id: str,
        *,
        access_key: str | None,
        proxy: str | None,
    ) -> None:
        self._web = web
        self._proxy = proxy
        self._servers = servers
        self._app_id = app_id
        self._access_key = access_key
        self._address: str | None = None

    def own_address(self, cancel: threading.Event) -> str | None:
        """Return this host's address towards the config services, if it can be known."""
        if self._address is None:
            # Behind a proxy, a server's name need not be known here, and asking may take long.
            self._address = address_towards(self._proxy or self._servers.to_try(cancel)[0])
        return self._address

    def read(self, path: str, cancel: threading.Event) -> Answer:
        """Return an answer of 200, 304, or a 404 of Apollo's own. Raises ``SourceError``."""
        problem: SourceError | None = None
        for server in self._servers.to_try(cancel):
            try:
                return self._ask(server, path, 0.0, cancel)
            except SourceError as error:
                problem = self._remember(server, error, cancel)
        raise problem or SourceError("no config service is known")

    def poll(self, path: str, wait: float, cancel: threading.Event) -> Answer | None:
        """As ``read``, of a request that may be held for ``wait`` seconds.

        ``None``: it was held, and then cut, by a proxy that lost patience or by the end of
        ``wait``. That says nothing about the server: ask it.
        """
        problem: SourceError | None = None
        for server in self._servers.to_try(cancel):
            began = time.monotonic()
            try:
                return self._ask(server, path, wait, cancel)
            except SourceError as error:
                if time.monotonic() - began >= min(_HELD, wait / 6) and not cancel.is_set():
                    return None
                problem = self._remember(server, error, cancel)
        raise problem or SourceError("no config service is known")

    def _remember(self, server: str, error: SourceError, cancel: threading.Event) -> SourceError:
        if cancel.is_set() or isinstance(error, _Final):
            raise error
        self._servers.failed(server)
        return error

    def _ask(self, server: str, path: str, wait: float, cancel: threading.Event) -> Answer:
        url = server + path
        answer = self._web.request("GET", url, headers=self._headers(url), wait=wait, cancel=cancel)
        if answer.status in {200, 304} or _tells_that_there_is_none(answer):
            return answer
        error = refused(url, answer, has_key=self._access_key is not None, now=time.time())
        if answer.status in range(400, 500):
            raise _Final(str(error), retry_after=error.retry_after)
        raise error

    def _headers(self, url: str) -> dict[str, str]:
        accept = {"Accept": "application/json"}
        if self._access_key is None:
            return accept
        path = parse_url(url).path
        return {**accept, **signed(self._app_id, self._access_key, path, time.time())}


class _Final(SourceError):
    """A refusal in which all config services would agree."""


def _tells_that_there_is_none(answer: Answer) -> bool:
    return answer.status == 404 and is_apollos_error(answer.body)
