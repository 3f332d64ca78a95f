"""``TracedSession``: a ``requests.Session`` with ``TracedAdapter`` on http and https."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.cookies import RequestsCookieJar, cookiejar_from_dict
from requests.exceptions import InvalidSchema, InvalidURL
from requests.structures import CaseInsensitiveDict
from requests.utils import get_netrc_auth, resolve_proxies

from tracedclient import httptrace
from tracedclient.httptrace import current_client_trace
from tracedclient.transport.adapter import TracedAdapter
from tracedclient.transport.addresses import mark_redirect
from tracedclient.transport.begun import drop_what_is_left
from tracedclient.transport.dial import USUAL, Dialing
from tracedclient.transport.discreet import redact_error
from tracedclient.transport.prepared import is_prepared_plainly, prepared_plainly
from tracedclient.transport.redirects import RedirectPolicy, RedirectRefused, follow, settle
from tracedclient.transport.shipped import SESSION_GET_ADAPTER, SESSION_SEND, wire_is_as_shipped
from tracedclient.transport.tls import check_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from requests import PreparedRequest

    from tracedclient.transport.environment import Environment

logger = logging.getLogger("tracedclient")

_Session = requests.Session
_SCHEMES = frozenset({"http://", "https://"})
_SEND = TracedAdapter.send


class _KeepNone(DefaultCookiePolicy):
    """By its name: with it there is no need to look for cookies."""


class SessionCookieJar(RequestsCookieJar):
    """requests' own, which knows whether a cookie was ever put into it: to count them takes long."""

    was_used = False

    def set_cookie(self, cookie: Any, *args: Any, **kwargs: Any) -> Any:
        # All ways in lead through here.
        self.was_used = True
        return super().set_cookie(cookie, *args, **kwargs)


class TracedSession(requests.Session):
    """A ``requests.Session`` in every respect, whose requests can be watched by a ``ClientTrace``.

    With an ``environment``, that one is used instead of asking the process's for every request,
    and ``.netrc`` is not read. With ``cookies=False`` the session keeps none that a server sets;
    those given with a request are sent. Without ``redirects`` a redirect takes along what requests
    lets it.
    """

    __attrs__ = [*requests.Session.__attrs__, "environment", "redirects"]  # noqa: RUF012 - requests' pickling

    def __init__(
        self,
        *,
        environment: Environment | None = None,
        cookies: bool = True,
        pool_maxsize: int = 10,
        pool_block: bool = False,
        pool_connections: int = 10,
        dialing: Dialing = USUAL,
        redirects: RedirectPolicy | None = None,
        max_response_bytes: int | None = None,
    ) -> None:
        super().__init__()
        self.environment = environment
        self.redirects = redirects
        if redirects is not None:
            self.max_redirects = redirects.limit
        if environment is not None:
            self.trust_env = False
        self.cookies = SessionCookieJar()
        if not cookies:
            self.cookies.set_policy(_KeepNone(allowed_domains=()))
        adapter = TracedAdapter(
            pool_connections=pool_connections,
            pool_maxsize=pool_maxsize,
            pool_block=pool_block,
            dialing=dialing,
            max_response_bytes=max_response_bytes,
        )
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def mount(self, prefix: Any, adapter: Any) -> None:
        """Register an adapter, as requests does; warn of one that retries on its own."""
        retries = getattr(adapter, "max_retries", None)
        if getattr(retries, "total", None):
            logger.warning(
                "the adapter mounted for %s retries on its own (max_retries=%r): its retries and "
                "the client's multiply; mount it with max_retries=0",
                prefix,
                retries,
            )
        super().mount(prefix, adapter)

    def prepare_request(self, request: requests.Request) -> PreparedRequest:
        """Return ``request`` prepared with the session's settings, as requests does."""
        if type(request) is requests.Request and self._adds_only_headers(request.url):
            prepared = prepared_plainly(request, self.headers)
            if prepared is not None:
                return prepared
        try:
            return super().prepare_request(request)
        except requests.RequestException as error:
            redact_error(error, request.url)
            raise

    def _adds_only_headers(self, url: Any) -> bool:
        if self.auth or self.params or self.hooks.get("response"):
            return False
        jar = self.cookies
        if (type(jar) is not SessionCookieJar or jar.was_used) and len(jar):
            return False
        if type(self.headers) is not CaseInsensitiveDict:
            return False
        return not self.trust_env or get_netrc_auth(url) is None

    def merge_environment_settings(
        self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any
    ) -> dict[str, Any]:
        environment = self.environment
        if environment is None:
            return dict(super().merge_environment_settings(url, proxies, stream, verify, cert))
        if environment.proxies or self.proxies or proxies:
            merged = {**environment.proxies_for(url), **self.proxies, **(proxies or {})}
            proxies = {key: proxy for key, proxy in merged.items() if proxy is not None}
        verify = self.verify if verify is None else verify
        if verify is True and environment.ca_bundle:
            verify = environment.ca_bundle
        return {
            "proxies": proxies or {},
            "stream": self.stream if stream is None else stream,
            "verify": verify,
            "cert": self.cert if cert is None else cert,
        }

    def rebuild_proxies(
        self, prepared_request: PreparedRequest, proxies: Mapping[str, str] | None
    ) -> Any:
        """Choose the proxy for a redirect's target anew: ``NO_PROXY`` may name it."""
        if self.environment is not None:
            captured = dict(self.environment.proxies)
            explicit = {
                key: proxy for key, proxy in (proxies or {}).items() if captured.get(key) != proxy
            }
            proxies = {**self.environment.proxies_for(prepared_request.url or ""), **explicit}
        return super().rebuild_proxies(prepared_request, dict(proxies) if proxies else None)

    def rebuild_auth(self, prepared_request: PreparedRequest, response: requests.Response) -> None:
        """Take off a redirected request what must not go where it leads."""
        super().rebuild_auth(prepared_request, response)
        mark_redirect(prepared_request, response)
        if self.redirects is not None:
            self.redirects.apply(prepared_request, response.request.url or "")
        follow(prepared_request, response.request)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        if resp.is_redirect and resp._content is False:  # noqa: SLF001 - not read yet
            settle(resp)
        return super().get_redirect_target(resp)

    def resolve_redirects(self, *args: Any, yield_requests: bool = False, **kwargs: Any) -> Any:
        if not yield_requests and current_client_trace() is not None:
            # requests hands unknown keywords on to `send` for every hop it follows.
            kwargs["is_redirect"] = True
        kwargs["yield_requests"] = yield_requests
        hops = super().resolve_redirects(*args, **kwargs)
        try:
            yield from hops
        except RedirectRefused:
            # One that is only looked at, for `Response.next`, has no next.
            if not yield_requests:
                raise
        except requests.RequestException:
            raise
        except ValueError:
            # Which says why, and quotes what may be a password.
            raise InvalidURL("the redirect's Location is no valid URL") from None

    def send(self, request: PreparedRequest, **kwargs: Any) -> Any:
        if isinstance(request, requests.Request):
            return super().send(request, **kwargs)  # which refuses it
        if "is_redirect" in kwargs and kwargs.pop("is_redirect"):
            _tell_redirect(request)
        settings = {"stream": self.stream, "verify": self.verify, "cert": self.cert, **kwargs}
        adapter = None
        if not (settings["stream"] or request.hooks.get("response")):
            adapter = self._our_adapter(request.url or "")
        if adapter is None:
            return self._send_by_requests(request, kwargs)
        # Without looking for what a plain request and its answer do not have.
        began = time.perf_counter()
        answer = adapter.exchange(
            request,
            kwargs.get("timeout"),
            settings["verify"],
            settings["cert"],
            kwargs["proxies"] if "proxies" in kwargs else self._resolved(request),
        )
        spent = time.perf_counter() - began
        if answer is None:
            return self._go_on(request, kwargs, spent)
        answer.spent = spent
        if answer.sets_cookies and self._keeps_cookies():
            answer.give_cookies(self.cookies)
        return answer

    def _keeps_cookies(self) -> bool:
        jar = self.cookies
        return not (isinstance(jar, RequestsCookieJar) and isinstance(jar.get_policy(), _KeepNone))

    def _our_adapter(self, url: str) -> TracedAdapter | None:
        """The one mounted for ``url``, when it is ours, and nobody has put anything in the place of
        what requests would do.
        """
        if (
            _Session.send is not SESSION_SEND
            or getattr(self.get_adapter, "__func__", None) is not SESSION_GET_ADAPTER
            or not wire_is_as_shipped()
        ):
            return None
        adapter: Any = None
        if _SCHEMES.issuperset(self.adapters):  # otherwise a longer prefix may be the one
            adapter = self.adapters.get(url[:7] if url[4:5] == ":" else url[:8])
        if adapter is None:
            try:
                adapter = self.get_adapter(url=url)
            except InvalidSchema:
                return None  # it will be raised again
        is_ours = type(adapter) is TracedAdapter
        return adapter if is_ours and getattr(adapter.send, "__func__", None) is _SEND else None

    def _resolved(self, request: PreparedRequest) -> Any:
        return resolve_proxies(request, self.proxies, self.trust_env)

    def _go_on(self, request: PreparedRequest, kwargs: dict[str, Any], spent: float) -> Any:
        response = self._send_by_requests(request, kwargs)
        first = response.history[0] if response.history else response
        first.elapsed += timedelta(seconds=spent)
        return response

    def _send_by_requests(self, request: PreparedRequest, kwargs: dict[str, Any]) -> Any:
        if is_prepared_plainly(request):
            request._cookies = cookiejar_from_dict({})  # noqa: SLF001
        try:
            return super().send(request, **kwargs)
        except InvalidSchema as error:
            redact_error(error, request.url)
            raise
        finally:
            drop_what_is_left()

    def sender(
        self,
        request: PreparedRequest,
        *,
        stream: bool,
        allow_redirects: bool,
        settings: Mapping[str, Any],
    ) -> Callable[..., Any]:
        """Return ``send`` with every setting of ``request`` but its timeout, for each attempt.

        ``settings`` may have requests' ``proxies``, ``verify`` and ``cert``.
        """
        proxies, verify, cert = {}, None, None
        if settings:
            proxies = dict(settings.get("proxies") or {})
            verify, cert = settings.get("verify"), settings.get("cert")
        merged = self.merge_environment_settings(request.url, proxies, stream, verify, cert)
        return partial(self.send, allow_redirects=allow_redirects, **merged)

    def check_tls_files(self) -> None:
        """Raise ``ValueError`` when a file that ``verify`` or ``cert`` names cannot be used."""
        check_files(self.verify, self.cert)


def _tell_redirect(request: PreparedRequest) -> None:
    trace = current_client_trace()
    if trace is not None:
        trace.redirected(
            httptrace.RedirectedInfo(method=request.method or "", url=request.url or "")
        )
