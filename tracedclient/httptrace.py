"""``ClientTrace``: hooks for what happens on the wire while one request is sent and answered.

The words are those of Go's ``net/http/httptrace``, in snake_case; what Go lacks stands below its
sixteen. Everything that watches a request is a ``ClientTrace``: the recorder behind the log line,
an exporter, or a few lines of a user's own::

    class Addresses(ClientTrace):
        def dns_done(self, info):
            print(info.addrs)

    with client_trace(Addresses()):
        session.get("https://example.org")

When, how often, and in which thread
    A hook runs in the thread that does the work: the caller's, or, for a streamed body, the thread
    that reads it. Hooks of one exchange never run at the same time. Redirects and retries call the
    hooks again, from ``exchange_start`` on; ``failed`` always comes when an exchange fails.
    Of a streamed answer that is let go of unread, ``body_done`` comes in a finalizer.
What a hook may do
    Anything. It is called outside of every lock of ours, so it may block (and then delays its own
    request, nobody else's). In a finalizer alone it must wait for no lock: its thread may hold it.
    One that raises is logged once and dropped; the request goes on.
What it costs
    With no trace in force, one ``is None`` per event.

An argument is always one frozen record, so that a field can be added without breaking a hook.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from contextvars import ContextVar
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Token

    from tracedclient._infos import (
        AttemptDoneInfo,
        AttemptStartInfo,
        BodyDoneInfo,
        BodyReadInfo,
        ConnectDoneInfo,
        ConnectStartInfo,
        DNSDoneInfo,
        DNSStartInfo,
        ExchangeStartInfo,
        FailedInfo,
        GetConnInfo,
        Got1xxResponseInfo,
        Got100ContinueInfo,
        GotConnInfo,
        GotFirstResponseByteInfo,
        Holder,
        PoolWaitDoneInfo,
        PoolWaitStartInfo,
        ProxyConnectDoneInfo,
        ProxyConnectStartInfo,
        PutIdleConnInfo,
        RedirectedInfo,
        ResponseHeadInfo,
        StaleConnDiscardedInfo,
        TLSHandshakeDoneInfo,
        TLSHandshakeStartInfo,
        TLSState,
        Wait100ContinueInfo,
        WroteHeaderFieldInfo,
        WroteHeadersInfo,
        WroteRequestInfo,
    )
    from tracedclient.notes import BodyReads, Notes

__all__ = [
    "AttemptDoneInfo",
    "AttemptStartInfo",
    "BodyDoneInfo",
    "BodyReadInfo",
    "ClientTrace",
    "ConnectDoneInfo",
    "ConnectStartInfo",
    "DNSDoneInfo",
    "DNSStartInfo",
    "ExchangeStartInfo",
    "FailedInfo",
    "GetConnInfo",
    "Got1xxResponseInfo",
    "Got100ContinueInfo",
    "GotConnInfo",
    "GotFirstResponseByteInfo",
    "Holder",
    "PoolWaitDoneInfo",
    "PoolWaitStartInfo",
    "ProxyConnectDoneInfo",
    "ProxyConnectStartInfo",
    "PutIdleConnInfo",
    "RedirectedInfo",
    "ResponseHeadInfo",
    "StaleConnDiscardedInfo",
    "TLSHandshakeDoneInfo",
    "TLSHandshakeStartInfo",
    "TLSState",
    "Wait100ContinueInfo",
    "WroteHeaderFieldInfo",
    "WroteHeadersInfo",
    "WroteRequestInfo",
    "client_trace",
    "current_client_trace",
    "hears",
]

logger = logging.getLogger("tracedclient")


def __getattr__(name: str) -> Any:
    # Where nothing is traced no record is made, and msgspec, which makes them fast, is not loaded.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    records = vars(import_module("tracedclient._infos"))
    globals().update({each: records[each] for each in __all__ if each in records})
    return records[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class ClientTrace:
    """Hooks that do nothing. Subclass it and define those you need."""

    # --- Go's sixteen -------------------------------------------------------------------------

    def get_conn(self, info: GetConnInfo) -> None:
        """A connection is about to be taken from the pool or opened. Once per exchange."""

    def got_conn(self, info: GotConnInfo) -> None:
        """A connection is ready to be written to: after TCP, CONNECT and TLS. Never on failure."""

    def put_idle_conn(self, info: PutIdleConnInfo) -> None:
        """The connection went back to the pool, or ``info.error`` says why not.

        Not called when either side asked for ``Connection: close``.
        """

    def got_first_response_byte(self, info: GotFirstResponseByteInfo) -> None:
        """The first byte of the answer was read, be it of a 1xx. At most once per exchange."""

    def got_100_continue(self, info: Got100ContinueInfo) -> None:
        """A 100 came for a request that waits for it (``Expect: 100-continue``)."""

    def got_1xx_response(self, info: Got1xxResponseInfo) -> Exception | None:
        """An interim answer came (RFC 9110 §15.2), any but 101, which is final.

        Return an exception to give the request up; the newest hook that returns one decides. In
        Go the oldest one does, and the others' errors are lost.
        """
        return None

    def dns_start(self, info: DNSStartInfo) -> None:
        """A name is about to be looked up. Not for a literal address, not on reuse."""

    def dns_done(self, info: DNSDoneInfo) -> None:
        """The lookup ended, well or with ``info.error``."""

    def connect_start(self, info: ConnectStartInfo) -> None:
        """One address is about to be tried. Once per address."""

    def connect_done(self, info: ConnectDoneInfo) -> None:
        """That address answered, or ``info.error`` says why not. Pair them by ``addr``."""

    def tls_handshake_start(self, info: TLSHandshakeStartInfo) -> None:
        """The handshake begins, all preparation done. Twice through an https proxy."""

    def tls_handshake_done(self, info: TLSHandshakeDoneInfo) -> None:
        """The handshake, and the check of the certificate, ended."""

    def wrote_header_field(self, info: WroteHeaderFieldInfo) -> None:
        """One header was put into the request's head. Not yet sent."""

    def wrote_headers(self, info: WroteHeadersInfo) -> None:
        """The kernel took the request's head (Go calls this one before its flush)."""

    def wait_100_continue(self, info: Wait100ContinueInfo) -> None:
        """The head is out; the body waits for a 100."""

    def wrote_request(self, info: WroteRequestInfo) -> None:
        """The kernel took the request; ``info`` says whether all of it, and if not, why."""

    # --- What Go lacks ------------------------------------------------------------------------

    def exchange_start(self, info: ExchangeStartInfo) -> None:
        """One request is about to go on the wire. Redirects and retries start another."""

    def pool_wait_start(self, info: PoolWaitStartInfo) -> None:
        """The pool is exhausted and this request waits for a connection."""

    def pool_wait_done(self, info: PoolWaitDoneInfo) -> None:
        """The wait is over."""

    def proxy_connect_start(self, info: ProxyConnectStartInfo) -> None:
        """CONNECT is about to be sent to the proxy (RFC 9110 §9.3.6)."""

    def proxy_connect_done(self, info: ProxyConnectDoneInfo) -> None:
        """The proxy answered CONNECT, or did not."""

    def stale_conn_discarded(self, info: StaleConnDiscardedInfo) -> None:
        """A pooled connection had been closed by the other side; another one is used."""

    def response_head(self, info: ResponseHeadInfo) -> None:
        """The head of the final answer has been read and parsed."""

    def body_read(self, info: BodyReadInfo) -> None:
        """The socket gave bytes after the answer's head. Once per read of the socket."""

    def body_done(self, info: BodyDoneInfo) -> None:
        """The body is read, or its reader closed it early, or let go of it (``info.complete`` is
        False then). A body cut off is a ``failed``.
        """

    def failed(self, info: FailedInfo) -> None:
        """The exchange failed in ``info.phase``. Nothing else of it follows."""

    def attempt_start(self, info: AttemptStartInfo) -> None:
        """One try begins; it may hold several exchanges, through redirects."""

    def attempt_done(self, info: AttemptDoneInfo) -> None:
        """That try ended. Says whether and when another one follows."""

    def redirected(self, info: RedirectedInfo) -> None:
        """A redirect is followed; the next ``exchange_start`` is its target's."""


HOOKS: tuple[str, ...] = tuple(name for name in vars(ClientTrace) if not name.startswith("_"))


class _Watcher:
    """One trace object among those in force; without it once it has raised."""

    __slots__ = ("trace",)

    def __init__(self, trace: ClientTrace) -> None:
        self.trace: ClientTrace | None = trace

    def drop(self, hook: str) -> None:
        name, self.trace = type(self.trace).__name__, None
        with suppress(Exception):  # the application's own handlers may raise too
            logger.warning(
                "%s.%s raised; this trace is dropped, the request goes on",
                name,
                hook,
                exc_info=True,
            )


class _Watchers(ClientTrace):
    """All traces in force, newest first, each kept from harming the request or the others."""

    __slots__ = ("_watchers",)

    def __init__(self, watchers: tuple[_Watcher, ...]) -> None:
        self._watchers = watchers


def _fan_out(hook: str) -> Callable[[_Watchers, Any], Exception | None]:
    def call_each(self: _Watchers, info: Any) -> Exception | None:
        refusal = None
        for watcher in self._watchers:
            if watcher.trace is not None:
                try:
                    answer = getattr(watcher.trace, hook)(info)
                except Exception:  # noqa: BLE001 - an instrument must not break what it measures
                    watcher.drop(hook)
                else:
                    refusal = refusal or answer
        return refusal

    return call_each


for _hook in (*HOOKS, "noted", "body_noted"):
    setattr(_Watchers, _hook, _fan_out(_hook))


class NoteTaker(ClientTrace):
    """A trace that has no say in an exchange, and rather has ``Notes`` of it than a call per event.

    Where it is the only one in force, ``noted`` comes in place of the hooks that ``Notes`` names.
    """

    takes_notes = True

    def noted(self, notes: Notes) -> None:
        """Take what has happened so far. Hooks may follow, unless the body is done."""

    def body_noted(self, reads: BodyReads) -> None:
        """Take, at its end, what ``body_read`` would have said of a body since its head."""


def note_taker(trace: ClientTrace) -> NoteTaker | None:
    """Return ``trace`` as something to call ``noted`` of; ``None`` when somebody wants the hooks."""
    if not isinstance(trace, _Watchers):
        return None
    for watcher in trace._watchers:  # noqa: SLF001
        if not getattr(watcher.trace, "takes_notes", False):
            return None
    return trace  # type: ignore[return-value] # it has all of their hooks


def hears(trace: ClientTrace, hook: str) -> bool:
    """Whether anybody listens to ``hook``: for one that would be called many times in vain."""
    if isinstance(trace, _Watchers):
        return any(w.trace is not None and hears(w.trace, hook) for w in trace._watchers)  # noqa: SLF001
    return getattr(type(trace), hook, None) is not getattr(ClientTrace, hook)


_in_force: ContextVar[_Watchers | None] = ContextVar("tracedclient_client_trace", default=None)


def current_client_trace() -> ClientTrace | None:
    """Return what watches the current context: one object that calls every trace, newest first.

    ``None`` when nothing does. What is returned never raises.
    """
    return _in_force.get()


class client_trace:  # noqa: N801 - read as a verb, with `with`
    """Lets ``traces`` watch every request that is sent inside of the ``with`` block.

    Of several, the last is called first. Blocks nest: the inner trace is called first, then the outer
    one; neither object is changed (Go's ``WithClientTrace`` composes in place, and a trace used twice
    then calls itself).
    The body of a streamed response stays watched after the block has ended.

    Raises ``TypeError`` when one of them is no ``ClientTrace``.
    """

    __slots__ = ("_tokens", "_traces")

    def __init__(self, *traces: ClientTrace) -> None:
        for trace in traces:
            if not isinstance(trace, ClientTrace):
                raise TypeError(
                    f"trace must be a tracedclient.httptrace.ClientTrace, not {trace!r}"
                )
        self._traces = traces
        self._tokens: list[Token[_Watchers | None]] = []

    def __enter__(self) -> None:
        outer = _in_force.get()
        watchers = tuple([_Watcher(trace) for trace in reversed(self._traces)])
        if outer is not None:
            watchers += outer._watchers  # noqa: SLF001
        self._tokens.append(_in_force.set(_Watchers(watchers)))

    def __exit__(self, *_: object) -> None:
        _in_force.reset(self._tokens.pop())
