"""``TracedAdapter``: mount it on any ``requests.Session`` and its requests can be watched."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import extract_cookies_to_jar
from requests.exceptions import InvalidProxyURL, InvalidURL
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers, prepend_scheme_if_needed, select_proxy
from urllib3.exceptions import HTTPError, LocationValueError
from urllib3.util import parse_url

from tracedclient import httptrace
from tracedclient.errors import AddressRefused
from tracedclient.httptrace import current_client_trace
from tracedclient.trace.formats import sent_span_id
from tracedclient.trace.w3c import span_id_of
from tracedclient.transport.addresses import REDIRECTED, Denied, redirected
from tracedclient.transport.answer import TracedResponse
from tracedclient.transport.begun import HandedOn, drop_what_is_left, is_left, leave
from tracedclient.transport.dial import USUAL, Dialing
from tracedclient.transport.discreet import redact_error
from tracedclient.transport.exchange import exchange
from tracedclient.transport.fork import close_silently, forget_after_fork
from tracedclient.transport.headers import value_of
from tracedclient.transport.known import KnownPools, tell_uses
from tracedclient.transport.plain import may_repeat, plain_request, whole_response
from tracedclient.transport.pool import POOL_CLASSES
from tracedclient.transport.shipped import wire_is_as_shipped
from tracedclient.transport.tls import OWN_SETTINGS, TLSContexts, left_to_urllib3

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import PreparedRequest
    from urllib3 import BaseHTTPResponse

    from tracedclient.httptrace import ClientTrace
    from tracedclient.transport.answer import WholeResponse

_urllib3_log = logging.getLogger("urllib3.connectionpool")


class TracedAdapter(HTTPAdapter):
    """requests' ``HTTPAdapter`` on pools and connections that tell a ``ClientTrace`` what they do.

    With no trace in force it behaves as requests' own, but for two things: an answer of 1xx is
    never taken for the final one, and the CA bundle is read once instead of for every connection.
    """

    __attrs__ = [*HTTPAdapter.__attrs__, "dialing", "max_response_bytes"]  # noqa: RUF012 - requests' pickling

    def __init__(
        self,
        *args: Any,
        dialing: Dialing = USUAL,
        max_response_bytes: int | None = None,
        **kwargs: Any,
    ) -> None:
        self._tls = TLSContexts()
        self.dialing = dialing
        self.max_response_bytes = max_response_bytes
        super().__init__(*args, **kwargs)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._tls = TLSContexts()
        super().__setstate__(state)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._pools = KnownPools()
        # A new dict: urllib3's own is shared by every pool manager of the process.
        self.poolmanager.pool_classes_by_scheme = dict(POOL_CLASSES)

        forget_after_fork(self)

    def after_fork(self) -> None:
        """Start with empty pools: what is in these belongs to the parent process."""
        managers = [self.poolmanager, *self.proxy_manager.values()]
        # The container's lock may be held for ever by a thread that does not exist here.
        pools = [pool for m in managers for pool in list(m.pools._container.values())]  # noqa: SLF001
        self.proxy_manager = {}
        self._tls = TLSContexts()
        self.init_poolmanager(self._pool_connections, self._pool_maxsize, block=self._pool_block)
        close_silently(pools)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        if proxy in self.proxy_manager:
            return super().proxy_manager_for(proxy, **proxy_kwargs)
        classes = _pool_classes(proxy)
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = dict(classes)
        return manager

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] != "https":
            return host, tls
        context = self._tls.context(verify, cert)
        return host, {"ssl_context": context, "cert_reqs": tls["cert_reqs"]}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the pool alone: its context has all of it already."""

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: Any,
        proxies: Mapping[str, str] | None = None,
        cert: Any = None,
    ) -> Any:
        url = request.url or ""
        proxy = select_proxy(url, dict(proxies)) if proxies else None
        if proxy:
            self._check_proxied(request)
        context = None
        if url[:5] != "http:" and url[:6].lower() == "https:":
            context = self._tls.context(verify, cert)
        end = url.find("/", 8)  # behind "https://"
        key = (url if end < 0 else url[:end], context, proxy, verify)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools.put(key, self._pool_of(request, verify, proxy, cert))
        # Each time: it may be another one by now.
        pool.dialing = self.dialing
        return pool

    def _check_proxied(self, request: PreparedRequest) -> None:
        """Refuse an address that only the proxy would connect to; names are the proxy's to judge."""
        if self.dialing.addresses is None:
            return
        try:
            self.dialing.addresses.check_literal(request.url or "")
        except Denied as error:
            raise AddressRefused(str(error), request=request) from error

    def _pool_of(self, request: PreparedRequest, verify: Any, proxy: str | None, cert: Any) -> Any:
        try:
            host, tls = self.build_connection_pool_key_attributes(request, verify, cert)
        except ValueError as error:
            raise InvalidURL(error, request=request) from error
        manager: Any = self.poolmanager
        if proxy:
            proxy = prepend_scheme_if_needed(proxy, "http")
            manager = self._manager_of(proxy)
        if not OWN_SETTINGS.isdisjoint(manager.connection_pool_kw):
            tls = left_to_urllib3(tls, verify, cert)
        config = manager.proxy_config
        if config is not None and manager.proxy.scheme == "https" and config.ssl_context is None:
            # The proxy is checked against the same authorities as the target, as requests does, but
            # never shown the client's certificate, which is meant for the target. Not the manager's
            # own setting: that would be the one which came first.
            context = self._tls.context(verify, None)
            tls["_proxy_config"] = config._replace(ssl_context=context)
        tell_uses(manager)
        return manager.connection_from_host(**host, pool_kwargs=tls)

    def _manager_of(self, proxy: str) -> Any:
        if not parse_url(proxy).host:
            raise InvalidProxyURL(
                "Please check proxy URL. It is malformed and could be missing the host."
            )
        return self.proxy_manager_for(proxy)

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        return super().request_url(request, proxies) if proxies else request.path_url

    def close(self) -> None:
        """Close the idle connections now; urllib3 leaves them to the garbage collector, which an
        answer that somebody keeps holds off.
        """
        self._pools = KnownPools()
        for manager in [self.poolmanager, *self.proxy_manager.values()]:
            for key in manager.pools.keys():  # noqa: SIM118 - urllib3's container cannot be iterated
                pool = manager.pools.get(key)
                if pool is not None:
                    pool.close()
        super().close()

    def send(  # noqa: PLR0917 - requests' signature
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        if not is_left():
            if not stream and wire_is_as_shipped():
                answer = self.exchange(request, timeout, verify, cert, proxies)
                if answer is not None:
                    return answer
            if not is_left():
                proxy, trace = select_proxy(request.url or "", proxies), current_client_trace()
                if trace is not None:
                    _tell_start(trace, request, proxy)
        response = self._send_as_requests_does(
            request, stream=stream, timeout=timeout, verify=verify, cert=cert, proxies=proxies
        )
        if not stream and isinstance(response, TracedResponse):
            # A streamed body is its reader's to bound.
            response.max_bytes = self.max_response_bytes
        return response

    def _send_as_requests_does(
        self, request: PreparedRequest, **settings: Any
    ) -> requests.Response:
        try:
            with redirected(request):
                return super().send(request, **settings)
        except Denied as error:
            raise AddressRefused(str(error), request=request) from error
        except requests.RequestException as error:
            redact_error(error, request.url, request.path_url)
            raise
        except (LocationValueError, UnicodeError) as error:
            redact_error(error, request.url)
            raise InvalidURL(error, request=request) from error
        except (HTTPError, OSError) as error:
            raise requests.ConnectionError(error, request=request) from error
        finally:
            drop_what_is_left()

    def exchange(
        self, request: PreparedRequest, timeout: Any, verify: Any, cert: Any, proxies: Any
    ) -> WholeResponse | None:
        """Do a plain exchange the short way; ``None`` leaves it to ``send``, whole or the rest of it."""
        proxy = select_proxy(request.url or "", proxies) if proxies else None
        if not (proxy is None or proxy.startswith("http://")) or hasattr(request, REDIRECTED):
            return None
        if type(self) is not TracedAdapter or may_repeat(self.max_retries):
            return None
        try:
            pool = self.get_connection_with_tls_context(
                request, verify, proxies if proxy else None, cert
            )
        except (requests.RequestException, HTTPError, OSError, ValueError):
            return None  # it will be raised again, in requests' words
        plain = plain_request(request, timeout, pool, self.max_response_bytes)
        # For each request urllib3 writes a line, if somebody wants it.
        if plain is None or _urllib3_log.isEnabledFor(logging.DEBUG):
            return None
        trace = current_client_trace()
        if trace is not None:
            _tell_start(trace, request, proxy)
        try:
            answered = exchange(pool, plain)
        except HandedOn as handed_on:
            leave(handed_on)
            return None
        return whole_response(request, answered, self)

    def build_response(self, req: PreparedRequest, resp: BaseHTTPResponse) -> Any:
        response = TracedResponse()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.encoding = get_encoding_from_headers(response.headers)
        response.raw = resp
        response.reason = resp.reason or ""
        response.url = req.url or ""
        extract_cookies_to_jar(response.cookies, req, resp)
        response.request = req
        response.connection = self
        # Made up by a tool for tests, it comes from nowhere.
        response.peer = getattr(getattr(resp, "_original_response", None), "peer", None)
        return response


def _tell_start(trace: ClientTrace, request: PreparedRequest, proxy: str | None) -> None:
    trace.exchange_start(
        httptrace.ExchangeStartInfo(
            method=request.method or "",
            url=request.url or "",
            proxy=proxy,
            span_id=_sent_span_id(request.headers),
        )
    )


def _sent_span_id(headers: Mapping[str, Any]) -> str | None:
    # To find nothing in requests' dict takes it an error.
    traceparent = value_of(headers, "traceparent")
    return span_id_of(traceparent) if type(traceparent) is str else sent_span_id(headers)


def _pool_classes(proxy: str) -> dict[str, Any]:
    if not proxy.lower().startswith("socks"):
        return POOL_CLASSES
    # Here: few clients have one.
    from tracedclient.transport.proxies import socks_pool_classes  # noqa: PLC0415

    return socks_pool_classes()
