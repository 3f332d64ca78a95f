"""``HTTPClient``: what a service calls. How a call is made is ``_calling``'s; of what, ``_settings``'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import requests

from tracedclient import _settings
from tracedclient._calling import Calling
from tracedclient._open_calls import OpenCalls
from tracedclient._tracing import Tracing
from tracedclient.debug.unasked import Unasked
from tracedclient.instruments import Instruments
from tracedclient.propagation import Propagation
from tracedclient.retry import CircuitBreaker, RetryBudget, RetryPolicy
from tracedclient.timeout import Timeout
from tracedclient.transport import (
    AddressPolicy,
    RedirectPolicy,
    TracedResponse,
    forget_after_fork,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from requests import PreparedRequest, Request
    from typing_extensions import Self

    from tracedclient._stats import Stats
    from tracedclient.debug import FlagSource, FlagUpdater
    from tracedclient.httptrace import ClientTrace
    from tracedclient.inflight import InFlight
    from tracedclient.instruments import Instrument
    from tracedclient.instruments.opentracing import OpenTracing, Tracer
    from tracedclient.sinks import FlightRecorder, Sink

_OF_SEND = ("proxies", "verify", "cert")
_OF_DO = ("timeout", "stream", "allow_redirects", "idempotency_key", "trace", "body_factory")


class HTTPClient:
    """The HTTP client of a service: one for the process, shared by all of its threads.

    service          names the service in the log line.
    debug            True, False, or where to ask: ``StaticFlag``, ``EnvSource``, ``FileSource``.
    timeout          ``Timeout(connect, read, total)`` in seconds; a number or a pair as in requests.
    retry            ``RetryPolicy``; ``RetryPolicy(max_attempts=1)`` for none.
    budget           ``RetryBudget``: how many retries an origin gets, by how many calls go there, so
                     that an outage is not made worse; ``None`` for any number.
    breaker          ``CircuitBreaker``: when an origin that fails is left alone for a while. Off.
    sinks            where finished traces go; by default the logger ``tracedclient.trace``.
    flight_recorder  ``FlightRecorder``: keeps the last traces in memory without any flag, and logs
                     one that fails, with those that led up to it. Every call is recorded then.
                     ``client.flight.recent()`` returns them. Off.
    instruments      what watches every call, whether or not debug is on: ``OpenTelemetry()`` of
                     ``tracedclient.instruments.otel``, ``Prometheus()`` of ``….prometheus``,
                     ``ZipkinReporter(url)`` of ``….zipkin``. Every call is recorded then.
    tracer           an ``opentracing.Tracer``, or ``OpenTracing(tracer, …)`` with options, of
                     ``tracedclient.instruments.opentracing``: spans for it as for an instrument.
    verify, cert     as in requests. A missing file is an error here, not at the first request.
    proxies          as in requests; they win over the environment's.
    headers          sent with every request.
    pool_maxsize     connections kept for each origin.
    pool_block       whether a call waits for one of them when all are in use, at most until its
                     total timeout, instead of opening one more.
    family           4 or 6 for that version of IP only.
    happy_eyeballs   whether to try the next address of a name when one has not answered for
                     0.25 s (RFC 8305), instead of when its connect timeout has passed.
    redirects        ``RedirectPolicy``: what a redirect may take to another origin.
    addresses        ``AddressPolicy``: to which addresses it connects. To all, but that no redirect
                     leads further in than it came from; ``None`` for no rule at all.
    cookies          whether to keep the cookies that servers set. Off, because they would be sent
                     on with the next request, whichever of the service's users that is for.
    max_response_bytes  of a decoded body that is not streamed; ``None`` for any number.
    trust_env        whether the proxy and CA variables of the environment count. They are looked
                     up once, now. ``.netrc`` never counts: it would replace a bearer token.
    propagation      ``Propagation``: the headers that carry the trace id, and the origins they may
                     go to; ``Propagation(formats=())`` for none.
    deadline_header  the header that tells the server how many milliseconds are left of the total
                     timeout, such as ``X-Request-Timeout-Ms``; ``None`` for none.
    """

    def __init__(
        self,
        *,
        service: str = "",
        debug: bool | FlagSource | FlagUpdater = False,
        timeout: Timeout | float | tuple[float | None, float | None] = Timeout(),  # noqa: B008 - frozen
        retry: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
        budget: RetryBudget | None = RetryBudget(),  # noqa: B008 - frozen
        breaker: CircuitBreaker | None = None,
        sinks: Sequence[Sink] | None = None,
        flight_recorder: FlightRecorder | None = None,
        instruments: Sequence[Instrument] = (),
        tracer: Tracer | OpenTracing | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        pool_maxsize: int = 64,
        pool_block: bool = False,
        family: Literal[4, 6] | None = None,
        happy_eyeballs: bool = True,
        redirects: RedirectPolicy = RedirectPolicy(),  # noqa: B008 - frozen
        addresses: AddressPolicy | None = AddressPolicy(),  # noqa: B008 - frozen
        cookies: bool = False,
        max_response_bytes: int | None = 256 * 1024 * 1024,
        trust_env: bool = True,
        propagation: Propagation = Propagation(),  # noqa: B008 - frozen
        deadline_header: str | None = None,
    ) -> None:
        _settings.check_kinds(service, retry, propagation)
        timeout = Timeout.of(timeout)
        self._rules = _settings.new_rules(retry, budget, breaker, deadline_header)
        fan_out = _settings.fan_out(sinks)
        self._flag = _settings.flag(debug)
        self.flight, otherwise = _settings.flight(flight_recorder)
        watching = _settings.with_tracer(instruments, tracer)
        self._instruments = Instruments(watching)
        self._tracing = Tracing(service, fan_out, self._flag, self.flight, otherwise)
        if not isinstance(self._flag, Unasked) or flight_recorder is not None or watching:
            # No call that the flag, or a failure, singles out is to wait for what that loads.
            self._tracing.recording()
        self._open_calls = OpenCalls(self._tracing)
        self._calling = Calling(
            self._rules,
            timeout=timeout,
            propagation=propagation,
            instruments=self._instruments,
            tracing=self._tracing,
            open_calls=self._open_calls,
        )
        self.session = _settings.new_session(
            family=family,
            happy_eyeballs=happy_eyeballs,
            redirects=redirects,
            addresses=addresses,
            max_response_bytes=max_response_bytes,
            trust_env=trust_env,
            cookies=cookies,
            pool_maxsize=pool_maxsize,
            pool_block=pool_block,
            headers=headers,
            proxies=proxies,
            verify=verify,
            cert=cert,
        )
        forget_after_fork(self)
        self._instruments.watch(self)

    # --- requests -----------------------------------------------------------------------------

    def do(
        self,
        request: Request | PreparedRequest,
        trace_id: str | None = None,
        debug: bool | None = None,
        *,
        timeout: Timeout | float | tuple[float | None, float | None] | None = None,
        stream: bool = False,
        allow_redirects: bool | None = None,
        idempotency_key: str | bool | None = None,
        trace: ClientTrace | None = None,
        body_factory: Callable[[], Any] | None = None,
    ) -> TracedResponse:
        """Send ``request`` and return its answer; ``response.trace`` says how it went.

        trace_id         the id of the work this call belongs to; ``None`` takes the inbound one
                         (``tracedclient.inbound``), or makes one. It is sent on, and logged.
        debug            whether to trace this call; ``None`` asks the client's flag.
        timeout          replaces the client's for this call.
        stream           leave the body to be read later; its trace is finished when it has been
                         read or closed.
        allow_redirects  ``None`` follows them, but for HEAD.
        idempotency_key  True or a key: the server then recognises a repetition, so that also a POST
                         may be retried.
        body_factory     makes the body for each attempt, so that one which cannot be read twice
                         can be sent again (Go's ``GetBody``); the request then has none.
        trace            a ``ClientTrace`` of the caller's, called whether or not debug is on.

        Raises requests' exceptions, with the trace as ``error.trace``; ``TypeError`` and
        ``ValueError`` for arguments that cannot be meant, naming them.
        """
        return self._calling.make(
            *(self.session, request, trace_id, debug, {}, timeout, stream, allow_redirects),
            *(idempotency_key, trace, body_factory),
        )

    def request(
        self,
        method: str,
        url: str,
        trace_id: str | None = None,
        debug: bool | None = None,
        **kwargs: Any,
    ) -> TracedResponse:
        """``do`` with the arguments of ``requests.request``, and those of ``do``."""
        options = {name: kwargs.pop(name) for name in _OF_DO if name in kwargs}
        settings = {name: kwargs.pop(name) for name in _OF_SEND if name in kwargs}
        request = requests.Request(method, url, **kwargs)
        return self._calling.make(self.session, request, trace_id, debug, settings, **options)

    def get(
        self, url: str, trace_id: str | None = None, debug: bool | None = None, **kwargs: Any
    ) -> TracedResponse:
        """``request("GET", …)``."""
        return self.request("GET", url, trace_id, debug, **kwargs)

    def head(
        self, url: str, trace_id: str | None = None, debug: bool | None = None, **kwargs: Any
    ) -> TracedResponse:
        """``request("HEAD", …)``. Redirects are not followed unless asked for."""
        return self.request("HEAD", url, trace_id, debug, **kwargs)

    def options(
        self, url: str, trace_id: str | None = None, debug: bool | None = None, **kwargs: Any
    ) -> TracedResponse:
        """``request("OPTIONS", …)``."""
        return self.request("OPTIONS", url, trace_id, debug, **kwargs)

    def post(
        self, url: str, trace_id: str | None = None, debug: bool | None = None, **kwargs: Any
    ) -> TracedResponse:
        """``request("POST", …)``. Repeated only while nothing was sent, or with a key."""
        return self.request("POST", url, trace_id, debug, **kwargs)

    def put(
        self, url: str, trace_id: str | None = None, debug: bool | None = None, **kwargs: Any
    ) -> TracedResponse:
        """``request("PUT", …)``."""
        return self.request("PUT", url, trace_id, debug, **kwargs)

    def patch(
        self, url: str, trace_id: str | None = None, debug: bool | None = None, **kwargs: Any
    ) -> TracedResponse:
        """``request("PATCH", …)``. Repeated only while nothing was sent, or with a key."""
        return self.request("PATCH", url, trace_id, debug, **kwargs)

    def delete(
        self, url: str, trace_id: str | None = None, debug: bool | None = None, **kwargs: Any
    ) -> TracedResponse:
        """``request("DELETE", …)``."""
        return self.request("DELETE", url, trace_id, debug, **kwargs)

    @property
    def debug(self) -> FlagUpdater:
        """Whether debug is on: its status, its overrides, who is told of changes."""
        return self._flag.updater() if isinstance(self._flag, Unasked) else self._flag

    def in_flight(self) -> tuple[InFlight, ...]:
        """Return the calls that have not finished, the oldest first, with their phase and age.

        A streamed call is in flight until its body has been read or closed; with debug off only
        until its answer has been returned.
        """
        return self._open_calls.now()

    def stats(self) -> Stats:
        """Return what there is of calls in flight, retries left, and circuits not closed."""
        from tracedclient._stats import Stats  # noqa: PLC0415 - few ask

        return Stats(
            in_flight=len(self.in_flight()),
            retries_left=self._rules.budgets.balances(),
            circuits=self._rules.breakers.states(),
            traces_dropped=self.debug.status().dropped,
            instrument_failures=self._instruments.failures,
        )

    # --- life ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the idle connections, stop asking for the flag, and end every sleep between two
        attempts: such a call raises ``ClientClosed``. May be called twice. As with requests, a later
        call is still made; but no flag traces it, and one that would be repeated raises the same.
        """
        self._rules.sleeper.wake()
        self._flag.close()
        self.session.close()
        self._instruments.unwatch(self)

    def after_fork(self) -> None:
        """Forget the calls of the parent process. Called by itself, in every forked child."""
        self._open_calls.forget()
        self._tracing.after_fork()
        if self.flight is not None:
            self.flight.after_fork()
        self._rules.sleeper.after_fork()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
