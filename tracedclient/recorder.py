"""The ``ClientTrace`` behind a ``TraceResult``: it writes down what it is told, and when.

One recorder per ``do()``. While the call lasts it only keeps a journal, because whatever is done in a
hook is done between two moments that it measures. What the journal says is worked out, redacted and
judged when the call has ended (``_replay``), and for most calls only if somebody asks
(``usual_line``). Hooks of one exchange never overlap, so only the end needs a lock: a streamed body
may be read and closed in another thread than the one that made the request.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import requests

from tracedclient import host
from tracedclient._clock import Clock
from tracedclient._drafts import error_info
from tracedclient._replay import Replay
from tracedclient._usual import figures
from tracedclient._version import __version__
from tracedclient.httptrace import HOOKS, NoteTaker
from tracedclient.notes import BodyReads
from tracedclient.redaction import printable, redact_url
from tracedclient.trace.decision import BY_CALL, Decision
from tracedclient.trace.summary import origin, summarise
from tracedclient.trace.timings import milliseconds
from tracedclient.trace.usual import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient import httptrace
    from tracedclient._replay import Entry
    from tracedclient.baseline import Baseline
    from tracedclient.notes import Notes
    from tracedclient.trace.model import TraceResult


class Recorder(NoteTaker):
    """Collects what happens during one call; ``finish`` makes a ``TraceResult`` of it."""

    failure: BaseException | None = None
    """What the last exchange failed with, if it did."""
    _thread = _started = 0
    _read_at = 0
    """When the head, or what was noted after it, was read."""
    _body_reads: BodyReads | None = None
    _is_over = False
    """Whether the body of the last exchange was read or closed, or never will be."""
    _is_left = False
    """Whether it was closed before its end."""
    _when_body_done: Callable[[], None] | None = None
    _ended = 0
    _status: int | None = None
    _error: BaseException | None = None
    _result: TraceResult | None = None
    _is_learnt = False

    def __init__(
        self,
        trace_id: str,
        *,
        method: str | None,
        url: str | None,
        service: str = "",
        decision: Decision = BY_CALL,
        parent_span_id: str | None = None,
        baseline: Baseline | None = None,
    ) -> None:
        self.trace_id = trace_id
        self._method = method
        self._url = url
        self._service = service
        self.decision = decision
        self._parent_span_id = parent_span_id
        self._baseline = baseline
        self._clock = Clock()
        self._journal: list[Entry] = []
        self._lock = Lock()

    # --- the journal: all other hooks are below -------------------------------------------------

    def exchange_start(self, info: httptrace.ExchangeStartInfo) -> None:
        at = time.perf_counter_ns()
        self._thread = threading.get_ident()
        self._is_over = self._is_left = False
        self.failure = self._body_reads = None
        self._started = at
        self._journal.append(("exchange_start", at, (info, host.sample_before(at))))

    def response_head(self, info: httptrace.ResponseHeadInfo) -> None:
        self._read_at = at = time.perf_counter_ns()
        self._journal.append(("response_head", at, info))

    def body_read(self, info: httptrace.BodyReadInfo) -> None:
        at, reads = time.perf_counter_ns(), self._body_reads
        if reads is None:
            # One entry for all of them: a body may be long.
            self._body_reads = reads = BodyReads(self._read_at)
            self._journal.append(("body_noted", at, reads))
        reads.count(info.size, at - int(info.waited * 1e9), at)

    def body_done(self, info: httptrace.BodyDoneInfo) -> None:
        self._is_left = not info.complete
        self._end_exchange("body_done", info)

    def failed(self, info: httptrace.FailedInfo) -> None:
        self.failure = info.error
        self._end_exchange("failed", info)

    def noted(self, notes: Notes) -> None:
        if notes.body_done_at:
            self._end_exchange("noted", notes)
        else:
            self._read_at = notes.body_reads[-1].at if notes.body_reads else notes.head_at
            self._journal.append(("noted", 0, (notes, None)))

    def _end_exchange(self, hook: str, info: Any) -> None:
        at = time.perf_counter_ns()
        after = None
        if threading.get_ident() == self._thread:
            after = host.sample_after(self._started, at)
        self._journal.append((hook, at, (info, after)))
        with self._lock:
            self._is_over = True
            call, self._when_body_done = self._when_body_done, None
        if call is not None:
            call()

    # --- the end ------------------------------------------------------------------------------

    def when_body_done(self, call: Callable[[], None]) -> None:
        """Call ``call`` once the body of the current exchange is read or closed; now if it is."""
        with self._lock:
            if not self._is_over:
                self._when_body_done = call
                return
        call()

    def abandoned(self) -> bool:
        """Note that nobody holds the answer any more; return whether its body was left unread."""
        is_left = self._is_left and self.failure is None
        if is_left:
            self._journal.append(("abandoned", 0, None))
        return is_left

    def end(self, status: int | None, error: BaseException | None) -> bool:
        """The call has ended so: its record is as it will be. False when it had ended before."""
        with self._lock:
            if self._ended:
                return False
            self._ended = time.perf_counter_ns()
        self._status, self._error = status, error
        self._pid = os.getpid()
        self._shown_url = redact_url(self._url) if self._url else None
        self._place = origin(self._shown_url or "")
        return True

    def finish(self, status: int | None, error: BaseException | None) -> TraceResult | None:
        """Return the finished record; ``None`` when the call had ended before."""
        return self.result() if self.end(status, error) else None

    def usual_line(self) -> str | None:
        """Return the line of the record, where that can be had without the record. Once.

        ``None`` when anything was remarkable. The record itself is still ``result``'s to give.
        """
        decision = self.decision
        constants = (
            *(self._service, self._method, self._place, self._pid),
            *(decision.source, decision.rule, decision.revision),
        )
        known = (self.trace_id, self._parent_span_id, self._url, self._shown_url or "")
        ended = (*known, self._status, self._clock, self._ended, constants)
        found = figures(ended, self._journal)
        if found is None:
            return None
        shape, filling, duration_ms, phases = found
        line = _lines.line(shape, filling, self.result)
        if self._baseline is not None and not self._is_learnt:
            self._is_learnt = True
            self._baseline.count(self._place, duration_ms, phases)
        return line

    def result(self) -> TraceResult:
        """Return the record of the call, which has ended."""
        with self._lock:
            if self._result is None:
                self._result = self._summarised()
                self._journal = []
                if self._baseline is not None and not self._is_learnt:
                    self._is_learnt = True
                    self._baseline.learn(self._place, self._result)
            return self._result

    def _summarised(self) -> TraceResult:
        status, error, end = self._status, self._error, self._ended
        replay = Replay(self._clock, self._url, self._shown_url).play(self._journal)
        attempts = tuple([draft.freeze(self._clock, end) for draft in replay.attempts])
        duration_ms = milliseconds(end - self._clock.start)
        place = self._place
        return summarise(
            attempts,
            outcome=_outcome(status, error),
            status=status,
            error=None if error is None else error_info(error, replay.phase_of(error)),
            trace_id=self.trace_id,
            parent_span_id=self._parent_span_id,
            started_at=self._clock.utc(self._clock.start),
            duration_ms=duration_ms,
            usual=None if self._baseline is None else self._baseline.usual(place, duration_ms),
            http_request_method=_shown(self._method),
            url_full=self._shown_url,
            # The caller's names for things may be no text that JSON can hold.
            service_name=printable(self._service) or None,
            debug_source=printable(self.decision.source),
            debug_rule=_shown(self.decision.rule),
            debug_revision=_shown(self.decision.revision),
            host_name=_host_name(),
            process_pid=self._pid,
            client_version=__version__,
        )


def _noting(hook: str) -> Callable[[Recorder, Any], None]:
    def note(self: Recorder, info: Any) -> None:
        self._journal.append((hook, time.perf_counter_ns(), info))

    return note


# Called for each header in vain: a subclass may want it.
_UNHEARD = "wrote_header_field"
for _hook in (*HOOKS, "body_noted"):
    if _hook not in vars(Recorder) and _hook != _UNHEARD:
        setattr(Recorder, _hook, _noting(_hook))


def _outcome(status: int | None, error: BaseException | None) -> str:
    if error is None:
        return "ok" if status is not None and status < 400 else "http_error"
    if not isinstance(error, Exception):
        return "cancelled"
    if isinstance(error, requests.TooManyRedirects):
        return "too_many_redirects"
    if isinstance(error, (requests.Timeout, TimeoutError)):
        return "timeout"
    return "other"


def _shown(text: str | None) -> str | None:
    return None if text is None else printable(text)


_lines = Lines()


@cache
def _host_name() -> str:
    return printable(socket.gethostname())
