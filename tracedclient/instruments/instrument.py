"""What an instrument is, and how each call reaches it without harm to the request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable  # noqa: TC003 - `get_type_hints` finds it
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from tracedclient._pattern import pattern
from tracedclient.trace.b3 import is_span_id
from tracedclient.trace.context import TraceContext
from tracedclient.trace.decision import Decision
from tracedclient.trace.ids import new_span_id, validate_trace_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracedclient.trace.model import TraceResult

logger = logging.getLogger("tracedclient")

FOR_INSTRUMENTS = Decision(source="instruments", emit="on_failure")
"""No flag asks for this call's trace; it is recorded for what watches it, and not logged."""

_COMPLAIN_EVERY_SECONDS = 60.0

_HEADER_NAME = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = pattern(r"[\x21-\x7e\xa1-\xff](?:[\x20-\x7e\xa1-\xff]*[\x21-\x7e\xa1-\xff])?")


class Watched(Protocol):
    """A client, as an instrument with gauges sees it."""

    @property
    def debug(self) -> Any:
        """``status()`` says how its flag stands."""

    def stats(self) -> Any:
        """Return its ``Stats``."""


def _as_it_is(call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


class CallStart(NamedTuple):
    """A call that begins."""

    trace: TraceContext | None
    """What its caller gave, or the request being served brought; ``None``: it begins a trace."""
    method: str | None
    url: str | None
    """As given, credentials included: do not show it."""
    guarded: Callable[..., Any] = _as_it_is
    """``guarded(call, *arguments)``: what ``call`` returns, or ``None`` when it raises, which is
    counted and complained of. For what is not the instrument's own: a tracer, a user's function."""


class Watch:
    """One call, as an instrument sees it. What a subclass does not define does nothing.

    ``enter`` and ``exit`` are called in the caller's thread; ``done`` may be called in another,
    that which reads or closes a streamed body.
    """

    trace: TraceContext | None = None
    """What the call's requests are sent as; ``None`` leaves that to the client."""

    is_recording: bool = True
    """Whether it wants the call's trace: without one, ``done`` is not called for its sake."""

    def enter(self) -> None:
        """The call is about to do its work."""

    def exit(self) -> None:
        """``do`` returns, or raises."""

    def sends(self, method: str, url: str) -> str | None:  # noqa: ARG002 - subclasses need them
        """A request is about to be sent; return its span's id, 16 hex digits, or ``None``.

        ``url`` holds what credentials it has: do not show it.
        """
        return None

    def headers(self) -> Mapping[str, str]:
        """Return what that request is to carry besides, to an origin that may see the trace."""
        return {}

    def done(self, result: TraceResult | None) -> None:
        """The call has ended, its body included. ``None``: its trace was lost."""


@runtime_checkable
class Instrument(Protocol):
    """Watches the calls of the clients that it was given to."""

    def watch(self, client: Watched) -> None:
        """Take a client that was made with it, and hold it weakly."""

    def begin(self, call: CallStart) -> Watch | None:
        """Return what watches this call; ``None`` when nothing of it does."""


@runtime_checkable
class Closing(Protocol):
    """An instrument that holds something as long as its clients are open."""

    def unwatch(self, client: Watched) -> None:
        """Take leave of a client, which has been closed; of the same maybe twice."""


class Instruments:
    """Those of one client. What one raises is counted, and complained of once a minute."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        for instrument in instruments:
            if isinstance(instrument, type) or not isinstance(instrument, Instrument):
                raise TypeError(
                    "instruments must have the methods watch(client) and begin(call), as "
                    f"tracedclient.instruments.otel.OpenTelemetry() has; not {instrument!r}"
                )
        self._instruments = tuple(instruments)
        self._quiet_until = float("-inf")
        self.failures = 0
        """Times that one raised, and what it was told is lost to it."""

    def watch(self, client: Watched) -> None:
        """Show each of them the client."""
        for instrument in self._instruments:
            self.guarded(instrument.watch, client)

    def unwatch(self, client: Watched) -> None:
        """Tell those that want to know that the client has been closed."""
        for instrument in self._instruments:
            if isinstance(instrument, Closing):
                self.guarded(instrument.unwatch, client)

    def begin(
        self, trace: TraceContext | None, parts: tuple[str | None, str | None]
    ) -> Watches | None:
        """Return what watches the call of this method and URL; ``None`` when nothing does."""
        if not self._instruments:
            return None
        call = CallStart(trace, *parts, self.guarded)
        begun = [self.guarded(instrument.begin, call) for instrument in self._instruments]
        watches = tuple(watch for watch in begun if self.guarded(_is_watch, watch))
        return Watches(watches, self.guarded) if watches else None

    def guarded(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return what ``call`` returns; ``None`` when it raises."""
        try:
            return call(*arguments)
        except Exception:  # noqa: BLE001 - an instrument must not break what it measures
            self.failures += 1
            self._complain(getattr(call, "__qualname__", repr(call)))
            return None

    def _complain(self, name: str) -> None:
        now = time.monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + _COMPLAIN_EVERY_SECONDS
        with suppress(Exception):  # the application's own handlers may raise too
            logger.warning("%s raised; the request goes on", name, exc_info=True)  # noqa: LOG014 - called in one


def _is_watch(watch: Watch | None) -> bool:
    """Whether ``watch`` is one; raise ``TypeError`` for what is neither that nor ``None``."""
    if watch is not None and not (isinstance(watch, Watch) and isinstance(watch.trace, _TRACE)):
        raise TypeError(
            "an instrument's begin must return a Watch, whose trace is a TraceContext or None, or "
            f"None; not {type(watch).__name__}"
        )
    if watch is not None and watch.trace is not None:
        # Both ids go into headers and log lines as they are.
        validate_trace_id(watch.trace.trace_id)
        _is_span_id(watch.trace.span_id)
    return watch is not None


_TRACE = (TraceContext, type(None))


class Watches:
    """All that watches one call. A context manager, for the time that ``do`` takes."""

    __slots__ = ("_guarded", "_watches", "carried", "is_recording", "trace")

    def __init__(self, watches: tuple[Watch, ...], guarded: Callable[..., Any]) -> None:
        self._watches = watches
        self._guarded = guarded
        self.carried: tuple[str, ...] = ()
        """The names of all that ``headers`` has given so far."""
        self.trace = next((watch.trace for watch in watches if watch.trace is not None), None)
        self.is_recording = any(watch.is_recording for watch in watches)

    def __enter__(self) -> None:
        for watch in self._watches:
            self._guarded(watch.enter)

    def __exit__(self, *_: object) -> None:
        for watch in reversed(self._watches):
            self._guarded(watch.exit)

    def span_id(self, method: str, url: str) -> str:
        """Return the id under which this request is to be sent."""
        given = [self._guarded(watch.sends, method, url) for watch in self._watches]
        good = [span_id for span_id in given if self._guarded(_is_span_id, span_id)]
        return good[0] if good else new_span_id()

    def headers(self) -> dict[str, str | None]:
        """Return what that request is to carry besides; ``None``: what only one before it did."""
        headers: dict[str, str | None] = dict.fromkeys(self.carried)
        for watch in self._watches:
            given = self._guarded(_fields, self._guarded(watch.headers) or {}) or ()
            headers |= {n: v for n, v in given if self._guarded(_is_header, n, v)}
        self.carried = tuple(headers)
        return headers

    def done(self, result: TraceResult | None) -> None:
        """Tell each of them how the call went."""
        for watch in self._watches:
            self._guarded(watch.done, result)


def _is_span_id(given: str | None) -> bool:
    """Whether ``given`` is one; raise ``ValueError`` for what is neither that nor ``None``."""
    if given is not None and not (isinstance(given, str) and is_span_id(given)):
        raise ValueError("a span id of an instrument's must be 16 hex digits or None")
    return given is not None


def _fields(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(headers.items())


def _is_header(name: Any, value: Any) -> bool:
    """Return True; raise ``ValueError`` for what would spoil the request's head."""
    for text, good in ((name, _HEADER_NAME), (value, _HEADER_VALUE)):
        if not isinstance(text, str) or not good.fullmatch(text):
            # Not quoted: it may be a credential.
            raise ValueError("an instrument's header is none; it is left out")
    return True
