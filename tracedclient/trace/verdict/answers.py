"""A call that ended with an answer that says no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.trace.verdict.attempts import are_alike, earlier, not_tried_again
from tracedclient.trace.verdict.facts import Verdict, is_slow
from tracedclient.trace.verdict.spent import beside
from tracedclient.trace.verdict.words import span

if TYPE_CHECKING:
    from tracedclient.trace.model import Proxy
    from tracedclient.trace.verdict.facts import Facts

_OF_A_GATEWAY = (502, 503, 504)
_STATUS = ("http_response_status_code",)


def server_error(facts: Facts, status: int) -> Verdict:
    """Return the verdict on a 5xx."""
    waited = facts.phases.get("wait")
    after = f" after {span(waited)}" if waited is not None and len(facts.attempts) == 1 else ""
    proxy = _forwarding_proxy(facts)
    unsure = ""
    if proxy is not None and status in _OF_A_GATEWAY:
        unsure = f"; it came through the proxy {proxy.url}, whose own answer it may be"
    return _told("server", f"the server answered {status}{_often(facts)}{after}{unsure}", facts)


def client_error(facts: Facts, status: int) -> Verdict:
    """Return the verdict on a 4xx."""
    proxy = _forwarding_proxy(facts)
    if status == 429:
        words = f"the server refused for now: too many requests (429){_often(facts)}"
        return _told("server", words, facts)
    if status == 407 and proxy is not None:
        words = f"the proxy {proxy.url} answered 407: it wants other credentials, or some"
        return _told("proxy", words, facts)
    words = f"the server refused the request with {status}: it is the request that it objects to"
    return _told("client", words, facts)


def _told(culprit: str, words: str, facts: Facts) -> Verdict:
    more, fields = beside(facts, culprit, ()) if is_slow(facts) else ("", ())
    before = "" if are_alike(facts) else f"; {earlier(facts)}"
    told = f"{words}{_redirected(facts)}{before}{not_tried_again(facts)}{more}"
    return Verdict(culprit, told, (*_STATUS, *fields))


def _often(facts: Facts) -> str:
    tries = len(facts.attempts)
    if tries < 2:
        return ""
    return f" on {'each' if are_alike(facts) else 'the last'} of {tries} attempts"


def _redirected(facts: Facts) -> str:
    chain = facts.attempts[-1].exchanges if facts.attempts else ()
    return f"; that was {chain[-1].url}, where a redirect led" if len(chain) > 1 else ""


def _forwarding_proxy(facts: Facts) -> Proxy | None:
    """The proxy that was asked for the URL itself, and not for a tunnel."""
    proxy = facts.last_exchange.proxy if facts.last_exchange else None
    return proxy if proxy is not None and proxy.target is None else None
