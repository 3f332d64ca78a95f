"""One plain exchange, straight on the socket: written in one piece, its answer read in one.

requests, urllib3 and http.client do this in some two hundred calls, because any request may be
unusual. Here only what is plain is done; as soon as something is not, the exchange is handed on
with all that has happened to it (``Begun``), and their code continues from there: reads the bytes
that were read, meets the error that was met. So there is one place that knows what errors are
called and what odd answers mean, and it is theirs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tracedclient import httptrace
from tracedclient.notes import BodyRead, Notes
from tracedclient.transport.begun import Begun, HandedOn, Meter
from tracedclient.transport.connection import Traced
from tracedclient.transport.content import Chunks, Unplain, decoded
from tracedclient.transport.head import END, MAX_HEAD, Head, response_head
from tracedclient.transport.reading import read_first
from tracedclient.transport.writing import JOINED_BYTES, Plain

if TYPE_CHECKING:
    from tracedclient.httptrace import ClientTrace, NoteTaker
    from tracedclient.transport.begun import Stage

_READ = 64 * 1024
"""Bytes of a read: more than TLS has in one record, of which nothing is to stay behind."""


class Answered:
    """A plain answer, read to its end."""

    head: Head
    body: bytes
    """As it came, without its chunks."""
    content: bytes
    """What was compressed to that."""
    peer: str
    """The address that it came from."""


def exchange(pool: Any, plain: Plain) -> Answered:
    """Send ``plain`` on a connection of ``pool``, and return the answer to it.

    Raises ``HandedOn`` when it is not for this module to finish.
    """
    try:
        conn = pool.lend()
    except BaseException as error:  # noqa: BLE001 - as below
        raise HandedOn(None, Begun("pool", Meter(), error)) from None
    if not isinstance(conn, Traced):
        # The pool was given a class of somebody else's.
        raise HandedOn(conn, Begun("connect", Meter()))
    work = _Exchange(conn, plain) if conn.trace is None else _told(conn, plain, conn.trace)
    try:
        work.run()
    except (_Unusual, Unplain):
        raise HandedOn(conn, work.begun(None)) from None
    except BaseException as error:  # noqa: BLE001 - raised again where urllib3 would have met it
        raise HandedOn(conn, work.begun(error)) from None
    # From here on it is as good as read: a hook cannot raise, and a put does not.
    work.end(pool)
    return work


class _Unusual(Exception):
    """To be handed on although nothing went wrong."""


class _Exchange(Answered):
    """Where an exchange stands of which nobody is told."""

    _stage: Stage = "connect"
    _data: bytes | bytearray = b""
    _ended = False
    _in_body = False

    def __init__(self, conn: Traced, plain: Plain) -> None:
        self._conn = conn
        self._plain = plain

    def begun(self, error: BaseException | None) -> Begun:
        """Return all that has happened."""
        if self._stage == "connect" and error is not None:
            # Half a handshake is no connection; urllib3 must not take it for one.
            self._conn.close()
        return Begun(
            self._stage,
            self._reads(),
            error=error,
            written=self._plain.head + (self._plain.body or b""),
            data=bytes(self._data),
            ended=self._ended,
            in_body=self._in_body,
        )

    def _reads(self) -> Meter:
        return Meter()  # they count for a trace only

    def run(self) -> None:
        """Get the answer."""
        conn, plain = self._conn, self._plain
        if conn.sock is None:
            conn.timeout = plain.connect
            conn.connect()
        if not conn.may_be_used_plainly:
            raise _Unusual
        self._stage = "send"
        self._send(conn, plain)
        conn.phase = "wait"
        self._stage = "receive"
        self.head = head = self._read_head()
        self.body = body = self._read_body(head)
        self.content = body if head.coding is None else decoded(body, head.coding, plain.max_body)
        self.peer = conn.peer

    def end(self, pool: Any) -> None:
        """Give the connection back."""
        if self.head.closes:
            self._conn.close()
        pool._put_conn(self._conn)  # noqa: SLF001 - urllib3's name for it

    def _send(self, conn: Traced, plain: Plain) -> None:
        conn.send_whole(plain.method, plain.head, plain.body, plain.read)

    # --- the answer ---------------------------------------------------------------------------

    def _read_head(self) -> Head:
        while END not in self._data:
            if self._ended or len(self._data) > MAX_HEAD:
                raise _Unusual
            self._read(_READ)
        head = response_head(self._data, to_head=self._plain.method == "HEAD")
        if head is None or (head.length or 0) > self._plain.max_body:
            raise _Unusual
        self._conn.phase = "receive"
        if head.keep_alive is not None:
            self._conn.learn_idle_time(head.keep_alive)
        return head

    def _read_body(self, head: Head) -> bytes:
        if head.length is None:
            return self._read_chunks(head)
        whole = head.size + head.length
        while len(self._data) < whole:
            if self._ended:
                raise _Unusual
            self._read(_READ)
        if len(self._data) > whole:
            raise _Unusual
        return bytes(self._data[head.size :])

    def _read_chunks(self, head: Head) -> bytes:
        chunks = Chunks(head.size, self._plain.max_body)
        while (body := chunks.take(self._data)) is None:
            if self._ended:
                raise _Unusual
            self._read(_READ)
        return body

    def _read(self, size: int) -> None:
        self._take_in(self._conn.sock.recv(size))

    def _take_in(self, data: bytes) -> None:
        self._ended = not data
        if not self._data:
            self._data = data
            return
        if isinstance(self._data, bytes):
            # An answer in many pieces, as TLS may bring it, would be copied whole with each.
            self._data = bytearray(self._data)
        self._data += data


def _told(conn: Traced, plain: Plain, trace: ClientTrace) -> _Told:
    taker = httptrace.note_taker(trace)
    is_small = plain.body is None or len(plain.body) <= JOINED_BYTES
    if taker is None or not is_small:
        return _Told(conn, plain, trace)
    return _Noted(conn, plain, trace, taker)


class _Told(_Exchange):
    """The same for a trace that is told of each event."""

    _written_at = 0
    """When the request left, in epoch nanoseconds."""

    def __init__(
        self, conn: Traced, plain: Plain, trace: ClientTrace, taker: NoteTaker | None = None
    ) -> None:
        self._conn = conn
        self._plain = plain
        self._trace = trace
        self._taker: Any = taker
        self._meter = Meter()

    def _reads(self) -> Meter:
        return self._meter

    def end(self, pool: Any) -> None:
        # Before it is another thread's, or closed.
        tcp = self._conn.kernel_facts()
        super().end(pool)
        self._trace.body_done(httptrace.BodyDoneInfo(complete=True, tcp=tcp))

    def _send(self, conn: Traced, plain: Plain) -> None:
        self._written_at = conn.send_whole(plain.method, plain.head, plain.body, plain.read)

    def _read_head(self) -> Head:
        head = super()._read_head()
        self._in_body = True
        self._tell_head(head)
        return head

    def _read(self, size: int) -> None:
        conn, meter = self._conn, self._meter
        if not meter.reads:
            data, buffered = read_first(
                conn.sock, size, answered=conn.uses > 1, written_at=self._written_at
            )
            if data:
                meter.count(len(data))
                self._tell_first_byte(buffered)
        else:
            began = time.monotonic()
            data = conn.sock.recv(size)
            if data:
                meter.count(len(data))
                if self._in_body:
                    self._tell_read(len(data), meter.read_at - began)
        self._take_in(data)

    # --- what a trace is told -----------------------------------------------------------------

    def _tell_first_byte(self, buffered: float | None) -> None:
        info = httptrace.GotFirstResponseByteInfo(buffered=buffered)
        self._trace.got_first_response_byte(info)

    def _tell_head(self, head: Head) -> None:
        self._trace.response_head(head.info(self._meter))

    def _tell_read(self, size: int, waited: float) -> None:
        self._trace.body_read(httptrace.BodyReadInfo(size=size, waited=waited))


class _Noted(_Told):
    """The same for a trace that takes notes: meanwhile the connection has none to tell."""

    _notes: Notes
    """From the moment on when the connection is ready."""
    _takes_notes = False

    def begun(self, error: BaseException | None) -> Begun:
        if self._takes_notes:
            notes = self._notes
            if self._stage == "send":
                notes.wrote_at, notes.write_failed = time.perf_counter_ns(), True
            self._conn.is_told_of(self._trace, notes.bytes_sent, self._written_at)
            self._taker.noted(notes)
        return super().begun(error)

    def _send(self, conn: Traced, plain: Plain) -> None:
        conn.watch_kernel()
        self._notes = notes = Notes(conn.got_conn(), time.perf_counter_ns())
        self._takes_notes, conn.trace = True, None
        # Before it leaves: on a fast network the answer may be there before this thread is.
        self._written_at = time.time_ns()
        conn.send_whole(plain.method, plain.head, plain.body, plain.read)
        notes.wrote_at = time.perf_counter_ns()
        notes.bytes_sent = len(plain.head) + len(plain.body or b"")

    def _tell_first_byte(self, buffered: float | None) -> None:
        notes = self._notes
        notes.first_byte_at, notes.buffered = time.perf_counter_ns(), buffered

    def _tell_head(self, head: Head) -> None:
        notes, meter = self._notes, self._meter
        notes.head_at, notes.status = time.perf_counter_ns(), head.status
        notes.bytes_read, notes.reads = meter.bytes_read, meter.reads
        notes.longest_silence = meter.longest_silence

    def _tell_read(self, size: int, waited: float) -> None:
        self._notes.body_reads.append(BodyRead(size, waited, time.perf_counter_ns()))

    def end(self, pool: Any) -> None:
        notes, conn, closes = self._notes, self._conn, self.head.closes
        notes.tcp = conn.kernel_facts()
        if closes:
            conn.close()
        else:
            notes.not_kept = pool.why_not_kept()
        pool._put_conn(conn)  # noqa: SLF001 - urllib3's name for it
        if not closes:
            notes.put_at = time.perf_counter_ns()
        notes.body_done_at = time.perf_counter_ns()
        self._taker.noted(notes)
