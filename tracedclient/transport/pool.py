"""The connection pools: urllib3's, which bind each connection to the trace of its request.

A pool learns the trace from the context of the call (the one place where requests leaves no slot to
pass it), puts it on the connection it hands out, and takes it off when the connection comes back.
"""

from __future__ import annotations

import queue
import time
import weakref
from functools import cached_property
from typing import TYPE_CHECKING, Any

import urllib3.connection
import urllib3.connectionpool

from tracedclient import httptrace
from tracedclient.httptrace import current_client_trace
from tracedclient.inflight import current_call
from tracedclient.transport.addresses import came_from
from tracedclient.transport.begun import HandedOn, take
from tracedclient.transport.connection import HTTPConnection, HTTPSConnection, Traced
from tracedclient.transport.dial import USUAL, address_text
from tracedclient.transport.discreet import redact_target
from tracedclient.transport.failure import WireFacts, attach
from tracedclient.transport.shelf import Shelf

if TYPE_CHECKING:
    from tracedclient.httptrace import ClientTrace
    from tracedclient.inflight import OngoingCall

    _Base = urllib3.connectionpool.HTTPConnectionPool
else:
    _Base = object


class _ConnectionClass:
    """The pool's ``ConnectionCls``: ours, unless somebody replaced urllib3's.

    vcrpy swaps ``urllib3.connectionpool.HTTPConnectionPool.ConnectionCls`` for its own; a subclass
    that sets the attribute would slip past it and reach the network in the middle of a test.
    """

    def __init__(self, pool: type[Any], original: type[Any], ours: type[Any]) -> None:
        self._pool, self._original, self._ours = pool, original, ours

    def __get__(self, instance: object, owner: type[Any]) -> type[Any]:
        current: type[Any] = self._pool.ConnectionCls
        return self._ours if current is self._original else current


class _TracedPool(_Base):
    """What both kinds of pool add to urllib3's."""

    QueueCls: Any = Shelf
    pool: Shelf | None  # type: ignore[assignment] # all of a LifoQueue that is asked of it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dialing = USUAL
        self.last_use = 0
        # Weak: a connection whose answer was dropped unread must be able to go. A WeakSet would make
        # a reference for each use; here each connection has one for life.
        self._in_use: set[weakref.ref[Traced]] = set()

    def _get_conn(self, timeout: float | None = None) -> Any:
        left = take()
        return _continued(left) if left is not None else self.lend(timeout, short=False)

    def lend(self, timeout: float | None = None, *, short: bool = True) -> Any:
        """Return a connection; in a ``short`` way for one who knows that urllib3's is as it shipped."""
        trace, call = current_client_trace(), current_call.get()
        if trace is not None:
            trace.get_conn(self._get_conn_info())
        conn = self._ready(call) if short else None
        if conn is None:
            conn = self._taken(trace, timeout, call)
        if isinstance(conn, Traced):
            conn.trace, conn.call, conn.dialing = trace, call, self.dialing
            if call is not None:
                call.connection = conn
            if conn.mark is None:
                conn.mark = weakref.ref(conn, self._in_use.discard)
            self._in_use.add(conn.mark)
        return conn

    def _ready(self, call: OngoingCall | None) -> Traced | None:
        """An idle connection that nothing speaks against; what else there is, is left to ``_taken``."""
        shelf = self.pool
        if shelf is None or (call is not None and call.fresh) or came_from.get() is not None:
            return None
        try:
            conn = shelf.get(block=False)
        except queue.Empty:
            return None
        if isinstance(conn, Traced) and conn.is_ready():
            return conn
        shelf.put_back(conn)
        return None

    def _taken(
        self, trace: ClientTrace | None, timeout: float | None, call: OngoingCall | None
    ) -> Any:
        """A connection of the pool, or a new one; not one that is dead, or soon will be."""
        try:
            conn = self._waited_for(trace, self._patience(timeout, call))
        except BaseException as error:
            _failed_without_connection(trace, error)
            raise
        if isinstance(conn, Traced):
            _discard_stale(conn, trace)
            if conn.sock is not None and (_must_be_fresh(call) or self._leads_inward(conn)):
                conn.close()
                conn.idle_since = None
        return conn

    def _leads_inward(self, conn: Traced) -> bool:
        """Whether a redirect has led to a kept connection that it may not have: only a new one
        looks for addresses that it may.
        """
        before, policy = came_from.get(), self.dialing.addresses
        if before is None or policy is None or not conn.peer:
            return False
        return policy.refusal(conn.peer, before) is not None

    def _patience(self, timeout: float | None, call: OngoingCall | None) -> float | None:
        if not self.block or call is None or call.deadline is None:
            return timeout
        remaining = max(0.0, call.deadline - time.monotonic())
        return remaining if timeout is None else min(timeout, remaining)

    def _waited_for(self, trace: ClientTrace | None, timeout: float | None) -> Any:
        shelf = self.pool
        if trace is None or not self.block or shelf is None or not shelf.empty():
            return super()._get_conn(timeout)
        trace.pool_wait_start(
            httptrace.PoolWaitStartInfo(limit=shelf.maxsize, holders=self._holders())
        )
        failure: BaseException | None = None
        try:
            return super()._get_conn(timeout)
        except BaseException as error:
            failure = error
            raise
        finally:
            trace.pool_wait_done(httptrace.PoolWaitDoneInfo(error=failure))

    def _get_conn_info(self) -> httptrace.GetConnInfo:
        shelf = self.pool
        return httptrace.GetConnInfo(
            host_port=self._host_port,
            in_use=len(self._in_use),
            idle=0 if shelf is None else shelf.idle(),
            limit=0 if shelf is None else shelf.maxsize,
        )

    def _holders(self) -> tuple[httptrace.Holder, ...]:
        conns = [conn for mark in self._in_use.copy() if (conn := mark()) is not None]
        # Looked at once: each may end at any moment.
        calls = [(call, conn.phase) for conn in conns if (call := conn.call) is not None]
        calls.sort(key=lambda held: held[0].started)
        return tuple(
            httptrace.Holder(trace_id=call.trace_id, age=call.age, phase=phase)
            for call, phase in calls[:_MAX_HOLDERS]
        )

    @cached_property
    def _host_port(self) -> str:
        host, port = self.host, self.port
        if self.proxy is not None and self.proxy.host is not None:
            host, port = self.proxy.host, self.proxy.port
        return address_text((host.strip("[]"), port))

    def _put_conn(self, conn: Any) -> None:
        if not isinstance(conn, Traced):
            super()._put_conn(conn)
            return
        # All of it before the connection is another thread's.
        trace = conn.trace
        conn.rest()
        if conn.mark is not None:
            self._in_use.discard(conn.mark)
        if trace is None or conn.idle_since is None:
            super()._put_conn(conn)
            return
        reason = self.why_not_kept()
        super()._put_conn(conn)
        trace.put_idle_conn(httptrace.PutIdleConnInfo(conn_id=conn.id, error=reason))

    def why_not_kept(self) -> str | None:
        """Return why a connection that is put back now is thrown away, if it is."""
        # Between this look and the put another thread may fill or empty the pool: then the reason
        # is that of a moment ago.
        if self.pool is None:
            return "the pool is closed"
        return "the pool is full" if self.pool.full() else None

    def _make_request(self, conn: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if isinstance(conn, Traced):
            conn.upload_timeout = self._get_timeout(kwargs.get("timeout")).read_timeout
            # What urllib3 is given it logs, and quotes in its errors.
            conn.target, url = url, redact_target(url)
        try:
            return super()._make_request(conn, method, url, *args, **kwargs)
        except BaseException as error:
            self._failed(conn, error)
            raise

    def _failed(self, conn: Any, error: BaseException) -> None:
        if isinstance(conn, Traced):
            if conn.mark is not None:
                self._in_use.discard(conn.mark)
            conn.begun = None
            conn.failed(error)

    def _prepare_proxy(self, conn: Any) -> None:
        try:
            super()._prepare_proxy(conn)
        except BaseException as error:
            self._failed(conn, error)
            raise


def _must_be_fresh(call: OngoingCall | None) -> bool:
    return call is not None and call.fresh


def _continued(left: HandedOn) -> Any:
    if left.conn is None:
        assert left.begun.error is not None
        raise left.begun.error
    if isinstance(left.conn, Traced):
        left.conn.begun = left.begun
    return left.conn


def _discard_stale(conn: Traced, trace: ClientTrace | None) -> None:
    """Close a connection that has lain in the pool for too long; tell of one that urllib3 closed.

    Either way the same object goes on, and connects anew.
    """
    if conn.idle_since is None:
        return
    idle = time.monotonic() - conn.idle_since
    if conn.sock is None:
        reason = "closed by the server"
    elif idle > conn.max_idle:
        reason = f"idle for more than {conn.max_idle:g} s"
        conn.close()
    else:
        return
    conn.idle_since = None
    if trace is not None:
        trace.stale_conn_discarded(
            httptrace.StaleConnDiscardedInfo(
                conn_id=conn.id, idle_time=idle, uses=conn.uses, reason=reason
            )
        )


def _failed_without_connection(trace: ClientTrace | None, error: BaseException) -> None:
    facts = WireFacts("blocked", sent=False, reused=False)
    attach(error, facts)
    if trace is not None:
        trace.failed(httptrace.FailedInfo(error=error, **vars(facts)))


_MAX_HOLDERS = 10


class HTTPConnectionPool(_TracedPool, urllib3.connectionpool.HTTPConnectionPool):
    """urllib3's ``HTTPConnectionPool``, observed."""

    ConnectionCls: Any = _ConnectionClass(
        urllib3.connectionpool.HTTPConnectionPool, urllib3.connection.HTTPConnection, HTTPConnection
    )


class HTTPSConnectionPool(_TracedPool, urllib3.connectionpool.HTTPSConnectionPool):
    """urllib3's ``HTTPSConnectionPool``, observed."""

    ConnectionCls: Any = _ConnectionClass(
        urllib3.connectionpool.HTTPSConnectionPool,
        urllib3.connectionpool.HTTPSConnectionPool.ConnectionCls,
        HTTPSConnection,
    )


POOL_CLASSES: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
