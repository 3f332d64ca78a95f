"""The queue of finished calls, and the one thread that makes spans of them and posts these.

What fills the queue may be a finalizer in the middle of anything, so nothing there may wait for a
lock that the same thread holds: ``SimpleQueue`` and ``RLock`` are made for that.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.instruments.zipkin.post import Line, NotTakenError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.instruments.zipkin.post import Collector

    Encode = Callable[[], list[bytes]]
    """Makes the JSON of a call's spans. Called in the worker's thread."""

logger = logging.getLogger("tracedclient")

FULL = 400_000
"""Bytes at which a batch is posted; with its last call it is below the 500 kB of Zipkin's own."""
LINGER = 1.0
"""Seconds that a batch waits for more."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds without a post after one that failed; twice as many each time."""


class ZipkinStats(NamedTuple):
    """What became of the calls that this process has reported."""

    sent: int
    dropped: int
    """Because the queue was full, or the collector did not take them."""
    queued: int
    failing: str | None
    """Why the last post failed; ``None`` when it did not."""


class _Flush:
    """Asks the thread to post what was queued before it."""

    def __init__(self, *, is_last: bool) -> None:
        self.done = threading.Event()
        self.is_last = is_last


class _Batch:
    """Spans to be posted together."""

    def __init__(self) -> None:
        self._spans: list[bytes] = []
        self.size = self.calls = 0

    def add(self, spans: list[bytes]) -> None:
        self._spans += spans
        self.size += sum(map(len, spans))
        self.calls += 1

    def body(self) -> bytes:
        return b"[" + b",".join(self._spans) + b"]"


class Worker:
    """Posts what is put. Lives in one process: a forked child makes another."""

    def __init__(self, collector: Collector, max_queued: int) -> None:
        self._collector = collector
        self._max_queued = max_queued
        self._queue: SimpleQueue[Encode | _Flush] = SimpleQueue()
        self._lock = threading.RLock()
        self._hurried = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped: threading.Thread | None = None
        self._sent = self._dropped = 0
        self._failing: str | None = None
        self._pause = 0.0

    def put(self, encode: Encode) -> None:
        """Queue a call; when the queue is full, drop it. Never waits."""
        if self._queue.qsize() >= self._max_queued:
            self.drop(1)
        else:
            self._queue.put(encode)

    def drop(self, calls: int) -> None:
        """Count calls that are not reported."""
        with self._lock:
            self._dropped += calls

    def start(self) -> None:
        """See to it that a thread runs. Raises ``RuntimeError`` when there can be none."""
        if self._thread is not None:
            return
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(
                    target=self._run, args=(self._stopped,), name="tracedclient-zipkin", daemon=True
                )
                thread.start()
                self._thread = thread

    def stats(self) -> ZipkinStats:
        """Return what became of the calls."""
        return ZipkinStats(self._sent, self._dropped, self._queue.qsize(), self._failing)

    def flush(self, timeout: float) -> bool:
        """Post what is queued. False when that took longer than ``timeout`` seconds."""
        return self._thread is None or self._asked(_Flush(is_last=False), timeout)

    def stop(self, timeout: float) -> bool:
        """Do so, and end the thread; ``start`` starts another."""
        with self._lock:
            if self._thread is None:
                return True
            self._stopped, self._thread = self._thread, None
        return self._asked(_Flush(is_last=True), timeout)

    def end(self) -> None:
        """Have the thread post what is queued, and end; do not wait for it. For finalizers."""
        if self._thread is not None:
            self._queue.put(_Flush(is_last=True))

    def _asked(self, flush: _Flush, timeout: float) -> bool:
        self._queue.put(flush)
        self._hurried.set()
        return flush.done.wait(timeout)

    # --- the thread ---------------------------------------------------------------------------

    def _run(self, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # one at a time: what is flushed is then really posted
        with Line(self._collector) as line:
            last = self._serve(line)
        last.done.set()

    def _serve(self, line: Line) -> _Flush:
        while True:
            batch = _Batch()
            flush = self._fill(batch)
            if batch.calls:
                self._post(line, batch)
            if flush is not None:
                if self._queue.empty():
                    self._hurried.clear()
                if flush.is_last:
                    return flush
                flush.done.set()

    def _fill(self, batch: _Batch) -> _Flush | None:
        """Wait for calls; return when there are enough, or none comes any more, or one asks to."""
        ends: float | None = None
        while batch.size < FULL:
            try:
                item = self._queue.get(timeout=ends and max(0.0, ends - time.monotonic()))
            except Empty:
                break
            if isinstance(item, _Flush):
                return item
            ends = ends or time.monotonic() + LINGER
            self._add(batch, item)
        return None

    def _add(self, batch: _Batch, encode: Encode) -> None:
        try:
            batch.add(encode())
        except Exception:  # noqa: BLE001 - one call that cannot be said must not end the thread
            self.drop(1)
            _say(logging.WARNING, "the spans of a call are lost", exc_info=True)

    def _post(self, line: Line, batch: _Batch) -> None:
        try:
            line.post(batch.body())
        except NotTakenError as error:
            self._failed(str(error), batch.calls)
        except Exception as error:  # noqa: BLE001 - whatever came up, the thread goes on
            self._failed(type(error).__name__, batch.calls)
        else:
            self._succeeded(batch.calls)

    def _succeeded(self, calls: int) -> None:
        with self._lock:
            self._sent += calls
        was, self._failing, self._pause = self._failing, None, 0.0
        if was is not None:
            _say(logging.INFO, "Zipkin at %s takes spans again", self._collector.name)

    def _failed(self, why: str, calls: int) -> None:
        self.drop(calls)
        was, self._failing = self._failing, why
        if was is None:
            _say(
                logging.WARNING,
                "Zipkin at %s takes no spans: %s. They are dropped, and counted, until it does",
                self._collector.name,
                why,
            )
        self._pause = min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
        self._hurried.wait(self._pause)


def _say(level: int, text: str, *arguments: object, exc_info: bool = False) -> None:
    with suppress(Exception):  # the application's own handlers may raise
        logger.log(level, text, *arguments, exc_info=exc_info)
