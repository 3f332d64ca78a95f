"""The connection pools: urllib3's, which bind each connection to the trace of its request.

A pool learns the trace from the context of the call (the one place where requests leaves no slot to
pass it), puts it on the connection it hands out, and takes it off when the connection comes back.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import urllib3.connection
import urllib3.connectionpool

from tracedclient.httptrace import (
    FailedInfo,
    GetConnInfo,
    PoolWaitDoneInfo,
    PoolWaitStartInfo,
    PutIdleConnInfo,
    StaleConnDiscardedInfo,
    current_client_trace,
)
from tracedclient.transport.connection import HTTPConnection, HTTPSConnection
from tracedclient.transport.dial import address_text
from tracedclient.transport.failure import WireFacts, attach

if TYPE_CHECKING:
    from tracedclient.httptrace import ClientTrace

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

    def _get_conn(self, timeout: float | None = None) -> Any:
        trace = current_client_trace()
        if trace is None:
            try:
                conn: Any = super()._get_conn(timeout)
            except BaseException as error:
                _failed_without_connection(None, error)
                raise
        else:
            trace.get_conn(GetConnInfo(host_port=self._host_port()))
            conn = self._wait_for_conn(trace, timeout)
        if isinstance(conn, (HTTPConnection, HTTPSConnection)):
            conn.trace = trace
            self._tell_stale(conn)
        return conn

    def _wait_for_conn(self, trace: ClientTrace, timeout: float | None) -> Any:
        queue = self.pool
        waits = self.block and queue is not None and queue.empty()
        failure: BaseException | None = None
        if waits and queue is not None:
            trace.pool_wait_start(PoolWaitStartInfo(limit=queue.maxsize))
        try:
            return super()._get_conn(timeout)
        except BaseException as error:
            failure = error
            raise
        finally:
            if waits:
                trace.pool_wait_done(PoolWaitDoneInfo(error=failure))
            if failure is not None:
                _failed_without_connection(trace, failure)

    @staticmethod
    def _tell_stale(conn: HTTPConnection | HTTPSConnection) -> None:
        """urllib3 closes a connection that died in the pool, and hands out the same object."""
        if conn.sock is not None or conn.idle_since is None:
            return
        idle, conn.idle_since = time.monotonic() - conn.idle_since, None
        if conn.trace is not None:
            conn.trace.stale_conn_discarded(
                StaleConnDiscardedInfo(conn_id=conn.id, idle_time=idle, uses=conn.uses)
            )

    def _host_port(self) -> str:
        host, port = self.host, self.port
        if self.proxy is not None and self.proxy.host is not None:
            host, port = self.proxy.host, self.proxy.port
        return address_text((host.strip("[]"), port))

    def _put_conn(self, conn: Any) -> None:
        if not isinstance(conn, (HTTPConnection, HTTPSConnection)):
            super()._put_conn(conn)
            return
        # All of it before the connection is another thread's.
        trace, conn.trace = conn.trace, None
        is_open = conn.sock is not None
        conn.idle_since = time.monotonic() if is_open else None
        if trace is None or not is_open:
            super()._put_conn(conn)
            return
        reason = self._why_not_kept()
        super()._put_conn(conn)
        trace.put_idle_conn(PutIdleConnInfo(conn_id=conn.id, error=reason))

    def _why_not_kept(self) -> str | None:
        # Between this look and the put another thread may fill or empty the pool: then the reason
        # is that of a moment ago.
        if self.pool is None:
            return "the pool is closed"
        return "the pool is full" if self.pool.full() else None

    def _make_request(self, conn: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._make_request(conn, *args, **kwargs)
        except BaseException as error:
            _failed(conn, error)
            raise

    def _prepare_proxy(self, conn: Any) -> None:
        try:
            super()._prepare_proxy(conn)
        except BaseException as error:
            _failed(conn, error)
            raise


def _failed(conn: Any, error: BaseException) -> None:
    if isinstance(conn, (HTTPConnection, HTTPSConnection)):
        conn.failed(error)


def _failed_without_connection(trace: ClientTrace | None, error: BaseException) -> None:
    facts = WireFacts("blocked", sent=False, reused=False)
    attach(error, facts)
    if trace is not None:
        trace.failed(FailedInfo(error=error, **facts._asdict()))


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
