"""How a client makes a call: in which trace, who watches it, with which plan."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from tracedclient._call import Call
from tracedclient._prepare import add_idempotency_key, prepare
from tracedclient.httptrace import ClientTrace, client_trace
from tracedclient.inbound import current_context
from tracedclient.inflight import OngoingCall
from tracedclient.instruments import FOR_INSTRUMENTS, Instruments
from tracedclient.timeout import Timeout
from tracedclient.trace.context import TraceContext, new_trace
from tracedclient.trace.ids import validate_trace_id
from tracedclient.transport import TracedResponse, TracedSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from requests import PreparedRequest, Request

    from tracedclient._call import Rules
    from tracedclient._open_calls import OpenCalls
    from tracedclient._tracing import Tracing
    from tracedclient.instruments import Watches
    from tracedclient.propagation import Propagation
    from tracedclient.recorder import Recorder

_UNWATCHED = nullcontext()


class Calling:
    """Makes the calls of one client. Safe to use from several threads."""

    def __init__(
        self,
        rules: Rules,
        *,
        timeout: Timeout,
        propagation: Propagation,
        instruments: Instruments,
        tracing: Tracing,
        open_calls: OpenCalls,
    ) -> None:
        self._rules = rules
        self._timeout = timeout
        self._propagation = propagation
        self._instruments = instruments
        self._tracing = tracing
        self._open_calls = open_calls

    def make(  # noqa: PLR0917 - as ``HTTPClient.do``
        self,
        session: TracedSession,
        request: Request | PreparedRequest,
        trace_id: str | None,
        debug: bool | None,
        settings: Mapping[str, Any],
        timeout: Any = None,
        stream: bool = False,
        allow_redirects: bool | None = None,
        idempotency_key: str | bool | None = None,
        trace: ClientTrace | None = None,
        body_factory: Callable[[], Any] | None = None,
    ) -> TracedResponse:
        """See ``HTTPClient.do``. ``settings`` may have requests' ``proxies``, ``verify`` and ``cert``."""
        timeout = self._timeout if timeout is None else Timeout.of(timeout)
        given, parts = _given_context(trace_id), _parts(request)
        watches = self._instruments.begin(given, parts)
        context = given or (watches and watches.trace) or new_trace()
        ongoing = OngoingCall(context.trace_id, *parts, timeout.total, watches)
        decision = self._tracing.decision(debug, ongoing)
        if decision is None and watches is not None and watches.is_recording:
            decision = FOR_INSTRUMENTS
        recorder = None
        if decision is not None:
            recorder = self._tracing.recorder(ongoing, decision, context.span_id)
        asked = (
            *(session, request, context, settings, timeout, recorder, watches),
            *(stream, allow_redirects, idempotency_key, body_factory),
        )
        if trace is None and recorder is None and watches is None:
            with self._open_calls.until_done(ongoing, None):
                response = self._planned(ongoing, *asked).run()
        else:
            # A watch's own hooks are newer than the recorder, whose end of a body is the call's end.
            watching = _watching(trace, recorder)
            with watching, watches or _UNWATCHED, self._open_calls.until_done(ongoing, recorder):
                response = self._planned(ongoing, *asked).run()
        if recorder is not None:
            self._open_calls.finish_with_body(ongoing, recorder, response, stream=stream)
        elif not isinstance(response, TracedResponse):
            # Of an adapter that somebody else mounted.
            response.trace = None  # type: ignore[attr-defined]
        return response  # type: ignore[return-value] # as far as its users can see

    def _planned(  # noqa: PLR0917 - as ``make``
        self,
        ongoing: OngoingCall,
        session: TracedSession,
        request: Request | PreparedRequest,
        context: TraceContext,
        settings: Mapping[str, Any],
        timeout: Timeout,
        recorder: Recorder | None,
        watches: Watches | None,
        stream: bool,
        allow_redirects: bool | None,
        idempotency_key: str | bool | None,
        body_factory: Callable[[], Any] | None,
    ) -> Call:
        prepared = prepare(session, request, body_factory)
        records = recorder is not None and recorder.decision.emit != "on_failure"
        follow = prepared.method != "HEAD" if allow_redirects is None else allow_redirects
        return Call(
            self._rules,
            ongoing,
            prepared,
            session.sender(prepared, stream=stream, allow_redirects=follow, settings=settings),
            origin(prepared.url or ""),
            self._propagation.outbound(
                context, prepared, sampled=True if records else context.sampled, spans=watches
            ),
            timeout=timeout,
            stream=stream,
            keyed=add_idempotency_key(prepared, idempotency_key),
            body_factory=body_factory,
        )


def _given_context(given: str | None) -> TraceContext | None:
    """The inbound one, when ``given`` is its id; ``None`` when this call begins a trace."""
    inbound = current_context()
    if given is None:
        return inbound
    if inbound is not None and inbound.trace_id == given:
        return inbound
    return TraceContext(validate_trace_id(given))


def _parts(request: Any) -> tuple[str | None, str | None]:
    """Method and URL of a request as its caller gave them, for the trace of a bad one too."""
    method, url = getattr(request, "method", None), getattr(request, "url", None)
    return (
        method if isinstance(method, str) else None,
        url if isinstance(url, str) else None,
    )


def _watching(*traces: ClientTrace | None) -> AbstractContextManager[None]:
    given = [trace for trace in traces if trace is not None]
    return client_trace(*given) if given else _UNWATCHED


def origin(url: str) -> str:
    """Return scheme, host and port of ``url``, without credentials."""
    scheme, _, rest = url.partition("://")
    place = rest.partition("/")[0]
    if "@" in place or "?" in place:
        place = place.partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{place}"
