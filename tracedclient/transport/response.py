"""Reading an answer: its 1xx are skipped and bounded, its first byte, head and end are told.

``http.client`` takes any 1xx but 100 for the final answer. The real answer then stays in the
connection, and the next request on it gets the previous one's body. Here every 1xx but 101 is
read and left behind (RFC 9110 §15.2), with or without a trace, at most so many and so large.
It takes the end of the connection for the end of a head, too, and so half a head for an answer
with an empty body. Here that is an error (RFC 9112 §8).
"""

from __future__ import annotations

import http.client
import io
import sys
import weakref
from typing import TYPE_CHECKING, Any

from tracedclient import httptrace
from tracedclient.transport.begun import Begun, Meter, Replay
from tracedclient.transport.bounded import READ_AHEAD
from tracedclient.transport.discreet import settle_malformed
from tracedclient.transport.failure import WireFacts, attach
from tracedclient.transport.reading import Lines, WatchedReader, has_more, is_of_the_reading

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import urllib3

    from tracedclient.httptrace import ClientTrace
    from tracedclient.trace.model import TCP

MAX_INTERIM = 32
"""1xx answers before the final one; real servers send one or two."""

MAX_INTERIM_BYTES = 256 * 1024
"""Bytes of all their headers together."""

_CONTINUE = 100
_SWITCHING_PROTOCOLS = 101
_WITHOUT_BODY = (204, 304)
_HTTP_10 = 10


class TooManyInterimResponses(http.client.HTTPException):
    """The server sends 1xx answers without end."""


class HeadCutOff(http.client.HTTPException):
    """The connection ended before the head did."""


class InterimResponseRefused(http.client.HTTPException):
    """A ``got_1xx_response`` hook returned an exception."""


def _is_interim(status: int) -> bool:
    return 100 <= status < 200 and status != _SWITCHING_PROTOCOLS


def _nothing() -> None:
    return None


class HTTPResponse(http.client.HTTPResponse):
    """One answer on the wire; ``trace`` hears of its first byte, its head and its end."""

    peer: str | None = None
    """The address that it came from; empty when only a proxy knows."""

    def __init__(
        self,
        sock: socket.socket,
        *args: Any,
        trace: ClientTrace | None = None,
        reused: bool = False,
        kernel: Callable[[], TCP | None] = _nothing,
        written_at: int = 0,
        must_close: bool = False,
        begun: Begun | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(sock, *args, **kwargs)
        self._client_trace = trace
        self._reused = reused
        self._kernel = kernel
        self._reader: WatchedReader | None = None
        self._owner: Callable[[], urllib3.HTTPResponse | None] = _nothing
        self._interim_count = 0
        self._interim_bytes = 0
        self._final_status: tuple[str, int, str] | None = None
        self._must_close = must_close
        self._in_body = False
        self._closing = False
        if isinstance(self.fp, io.BufferedReader) and not (trace is None and begun is None):
            raw: io.RawIOBase = self.fp.detach()
            if trace is not None:
                raw = self._reader = WatchedReader(
                    raw, trace, sock, answered=reused, written_at=written_at
                )
            if begun is not None:
                raw = self._go_on(raw, begun)
            self.fp = io.BufferedReader(raw, READ_AHEAD)

    def _go_on(self, raw: io.RawIOBase, begun: Begun) -> io.RawIOBase:
        """Read on where somebody else has stopped."""
        self._in_body = begun.in_body
        if self._reader is not None:
            self._reader.go_on(begun)
        return Replay(raw, begun)

    def bind(self, owner: urllib3.HTTPResponse) -> None:
        """Learn who decodes the chunks, and holds the connection that this answer came on."""
        self._owner = weakref.ref(owner)  # each must be able to go without the other

    # --- the head -----------------------------------------------------------------------------

    def wait_for_continue(self, sock: socket.socket, timeout: float) -> bool | None:
        """Wait for the word on a body that is held back (RFC 9110 §10.1.1).

        True for a 100: send it. False for a final answer, which ``begin`` then takes: do not send
        it. None when nothing came within ``timeout`` seconds: send it, and drop this object.
        """
        usual = sock.gettimeout()
        sock.settimeout(timeout if usual is None else min(timeout, usual))
        try:
            self.fp.peek(1)
        except TimeoutError:
            return None
        finally:
            sock.settimeout(usual)
        return self._read_until_continue()

    def _read_until_continue(self) -> bool:
        while True:
            line = super()._read_status()  # type: ignore[misc]
            if not _is_interim(line[1]):
                self._final_status = line
                # The body that was announced will not come: nothing else fits on this connection.
                self._must_close = True
                return False
            if line[1] == _CONTINUE and self._client_trace is not None:
                self._client_trace.got_100_continue(httptrace.Got100ContinueInfo())
            self._leave_behind(line[1])
            if line[1] == _CONTINUE:
                return True

    def _read_status(self) -> tuple[str, int, str]:
        line: tuple[str, int, str] = self._final_status or super()._read_status()  # type: ignore[misc]
        self._final_status = None
        while _is_interim(line[1]):
            self._leave_behind(line[1])
            line = super()._read_status()  # type: ignore[misc]
        return line

    def _leave_behind(self, status: int) -> None:
        """Read the rest of an interim answer; raise when there were too many, or one is refused."""
        headers = http.client.parse_headers(self.fp)
        self._interim_count += 1
        self._interim_bytes += sum(len(name) + len(value) for name, value in headers.items())
        if self._interim_count > MAX_INTERIM or self._interim_bytes > MAX_INTERIM_BYTES:
            raise TooManyInterimResponses(
                f"more than {MAX_INTERIM} interim answers, or {MAX_INTERIM_BYTES} bytes of them"
            )
        if self._client_trace is not None:
            info = httptrace.Got1xxResponseInfo(status=status, headers=tuple(headers.items()))
            refusal = self._client_trace.got_1xx_response(info)
            if refusal is not None:
                raise InterimResponseRefused(f"a hook refused the {status}") from refusal

    def begin(self, **kwargs: Any) -> None:
        self._read_head(**kwargs)
        if self._must_close:
            self.will_close = True
        if self._client_trace is not None and not self._in_body:
            self._tell_head(self._client_trace)

    def _read_head(self, **kwargs: Any) -> None:
        lines: Any = Lines(self.fp)
        reader, self.fp = self.fp, lines
        try:
            super().begin(**kwargs)
        finally:
            if self.fp is lines:
                self.fp = reader
        if lines.last == b"":
            self._close_conn()
            raise HeadCutOff("the connection ended in the middle of the answer's head")
        settle_malformed(self.headers)

    def _tell_head(self, trace: ClientTrace) -> None:
        self._in_body = True
        reader = self._reader
        trace.response_head(
            httptrace.ResponseHeadInfo(
                status=self.status,
                reason=self.reason,
                version="1.0" if self.version == _HTTP_10 else "1.1",
                headers=tuple(self.headers.items()),
                bytes_read=reader.meter.bytes_read if reader else 0,
                reads=reader.meter.reads if reader else 0,
                longest_silence=reader.meter.longest_silence if reader else 0.0,
            )
        )
        if reader is not None:
            reader.begin_body()

    # --- the body -----------------------------------------------------------------------------

    def take(self, size: int) -> bytes | None:
        """Return the next ``size`` bytes, of a body whose length is known and has as many left.

        ``None`` where ``read`` is to find out what came instead: it gets the same bytes, or error.
        """
        try:
            data: bytes = self.fp.read(size)
        except BaseException as error:  # noqa: BLE001 - raised again by the next read
            self._read_again(b"", error)
            return None
        if len(data) < size:
            self._read_again(data, None)
            return None
        self.length = left = (self.length or 0) - size
        if not left:
            self._close_conn()
        return data

    def _read_again(self, data: bytes, error: BaseException | None) -> None:
        begun = Begun("receive", Meter(), error=error, data=data, ended=error is None)
        self.fp = io.BufferedReader(Replay(self.fp.detach(), begun), READ_AHEAD)

    def close(self) -> None:
        self._closing = True
        super().close()

    def _close_conn(self) -> None:
        complete = self._is_complete()
        is_followed = complete and not self.will_close and has_more(self.fp)
        # Before the socket goes: afterwards the kernel has forgotten it.
        tcp = self._kernel() if self._in_body else None
        self._kernel = _nothing
        super()._close_conn()  # type: ignore[misc]
        if is_followed:
            self._end_connection()
        trace, self._client_trace = self._client_trace, None
        if trace is None or not self._in_body:
            return
        failure = None if complete else self._failure()
        if self._reader is not None:
            self._reader.tell_noted()
        # It leads to the trace, and the idle connection keeps this answer until the next request.
        self._reader = None
        if failure is None:
            self._release(complete=complete)
            trace.body_done(httptrace.BodyDoneInfo(complete=complete, tcp=tcp))
            return
        attach(failure, WireFacts("receive", sent=True, reused=self._reused))
        trace.failed(
            httptrace.FailedInfo(
                phase="receive", error=failure, sent=True, reused=self._reused, tcp=tcp
            )
        )

    def _end_connection(self) -> None:
        """What follows the answer was not asked for, and more of it may be on its way: nobody could
        tell it from the next answer.
        """
        owner = self._owner()
        if owner is not None and owner.connection is not None:
            owner.connection.close()

    def _release(self, *, complete: bool) -> None:
        """Return the connection now: urllib3 would right after, too late for the trace to tell."""
        owner = self._owner()
        if complete and owner is not None:
            owner.release_conn()

    def _is_complete(self) -> bool:
        if self._method == "HEAD" or self.status in _WITHOUT_BODY:  # type: ignore[attr-defined]
            return True
        if self.chunked and self._closing:
            return getattr(self._owner(), "chunk_left", None) == 0
        if self.length is not None:
            return self.length == 0
        # Delimited by the connection's end: complete unless somebody closes it before.
        return not self._closing

    def _failure(self) -> BaseException | None:
        """Why the body was cut off; ``None`` when its reader just did not want the rest."""
        if self._reader is not None and self._reader.error is not None:
            return self._reader.error
        if self._reader is not None and self._reader.at_end:
            return http.client.IncompleteRead(b"", self.length)
        handled = sys.exc_info()[1]
        # A GeneratorExit is the reader leaving, through urllib3's generators too.
        return handled if isinstance(handled, Exception) and is_of_the_reading(handled) else None
