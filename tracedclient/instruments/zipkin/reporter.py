"""``ZipkinReporter``: every call, or every one that is traced, as spans at a Zipkin collector."""

from __future__ import annotations

import atexit
import os
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.instruments.origins import OTHER, Origins
from tracedclient.instruments.zipkin.post import Collector
from tracedclient.instruments.zipkin.spans import host_name, ids_of, spans
from tracedclient.instruments.zipkin.watching import CallWatch, SampledOut, sent_as
from tracedclient.instruments.zipkin.worker import Worker, ZipkinStats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from tracedclient.instruments.instrument import CallStart, Watch, Watched
    from tracedclient.instruments.zipkin.model import Ids
    from tracedclient.trace.model import TraceResult

_LOW_64_BITS = 2**64


class ZipkinReporter:
    """Posts spans in Zipkin's JSON, version 2, from one thread in the background.

    ``HTTPClient(instruments=[ZipkinReporter("http://zipkin:9411")])`` reports every call;
    ``HTTPClient(sinks=[JsonLogSink(), ZipkinReporter(…)])`` those that are logged.

    endpoint          the collector; ``/api/v2/spans`` where it has no path of its own.
    sample_rate       the share of traces that begin here that is reported, 0 to 1; what callers
                      decided stands. As a sink it takes all it gets.
    headers           sent with each batch, such as ``{"Authorization": …}``.
    ca_file           certificates to trust instead of those that requests does.
    timeout           seconds that connecting, or waiting for the collector, may take.
    max_queued        finished calls that wait to be posted; more are dropped.
    close_timeout     seconds that ``close`` and the end of the process wait for the last batch.
    max_origins       servers whose host is named as a service; those met later are not.
    origin_templates  such as ``*.shards.internal``: one service name for all hosts that match.

    One may be given to several clients; the last of them that is closed closes it. Raises
    ``TypeError`` or ``ValueError`` that names the argument.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        sample_rate: float = 1.0,
        headers: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        timeout: float = 5.0,
        max_queued: int = 1000,
        close_timeout: float = 2.0,
        max_origins: int = 100,
        origin_templates: Sequence[str] = (),
    ) -> None:
        _check_number("sample_rate", sample_rate, most=1.0)
        _check_number("timeout", timeout)
        _check_number("close_timeout", close_timeout)
        if not isinstance(max_queued, int) or isinstance(max_queued, bool) or max_queued < 1:
            raise ValueError(f"max_queued must be an int of 1 or more, not {max_queued!r}")
        self._collector = Collector(
            endpoint, headers=dict(headers or {}), ca_file=ca_file, timeout=timeout
        )
        self._below = round(sample_rate * _LOW_64_BITS)
        self._max_queued = max_queued
        self._close_timeout = close_timeout
        self._origins = Origins(max_origins, origin_templates)
        self._clients: weakref.WeakSet[Any] = weakref.WeakSet()
        self._workers: dict[int, Worker] = {}

    # --- what a client calls --------------------------------------------------------------------

    def watch(self, client: Watched) -> None:
        """Stay open while ``client`` is."""
        self._clients.add(client)

    def unwatch(self, client: Watched) -> None:
        """Close with the last client."""
        self._clients.discard(client)
        if not self._clients:
            self.close()

    def begin(self, call: CallStart) -> Watch | None:
        """Give the call its span; ``None`` when its caller decided against spans."""
        given = call.trace
        if given is not None and given.sampled is False and not given.debug:
            return None
        trace = sent_as(given, self._samples)
        if not trace.sampled:
            return SampledOut(trace)
        # Not once it has ended, which may be told by a finalizer: no place to start a thread.
        self._worker().start()
        return CallWatch(trace, given.span_id if given is not None else None, self._report)

    def emit(self, result: TraceResult) -> None:
        """Report a call that is logged, by the ids in its record."""
        self._worker().start()
        self._report(result, None)

    # --- what its owner calls -------------------------------------------------------------------

    def flush(self, timeout: float | None = None) -> bool:
        """Post what is queued. False when that took longer than ``timeout`` seconds."""
        return self._worker().flush(self._close_timeout if timeout is None else timeout)

    def close(self) -> None:
        """Post what is queued, for ``close_timeout`` seconds at most, and end the thread.

        A call that is reported later starts it again. May be called twice.
        """
        self._worker().stop(self._close_timeout)

    def stats(self) -> ZipkinStats:
        """Return how many calls of this process were sent, dropped, and wait."""
        return self._worker().stats()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- one call -------------------------------------------------------------------------------

    def _samples(self, trace_id: str) -> bool:
        # By the id, so that services with the same rate decide alike.
        return int(trace_id[16:], 16) < self._below

    def _report(self, result: TraceResult | None, ids: Ids | None) -> None:
        worker = self._worker()
        if result is None:
            worker.drop(1)
        else:
            worker.put(partial(_encoded, result, ids, self._origins))

    def _worker(self) -> Worker:
        """Return this process's: of a parent's, a forked child has no thread."""
        pid = os.getpid()
        return self._workers.get(pid) or self._new_worker(pid)

    def _new_worker(self, pid: int) -> Worker:
        made = Worker(self._collector, self._max_queued)
        worker = self._workers.setdefault(pid, made)
        if worker is made:
            weakref.finalize(self, worker.end).atexit = False
            if len(self._workers) == 1:  # a child has inherited its parent's
                atexit.register(_close, weakref.ref(self))
        return worker


def _close(reporter: weakref.ref[ZipkinReporter]) -> None:
    found = reporter()
    if found is not None:
        found.close()


def _encoded(result: TraceResult, ids: Ids | None, origins: Origins) -> list[bytes]:
    def remote_name(url: str) -> str | None:
        server = origins.of(url)
        return None if server is OTHER else host_name(url) and server.address

    ids = ids_of(result) if ids is None else ids
    return [msgspec.json.encode(span) for span in spans(result, ids, remote_name)]


def _check_number(name: str, given: object, *, most: float = 3600.0) -> None:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(f"{name} must be a number, not {type(given).__name__}")
    if not 0 <= given <= most:
        raise ValueError(f"{name} must be from 0 to {most:g}, not {given}")
