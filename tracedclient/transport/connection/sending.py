"""A request goes out: by http.client's steps, or as bytes that are ready."""

from __future__ import annotations

import http.client
import sys
import time
from typing import TYPE_CHECKING, Any

from tracedclient import httptrace
from tracedclient.httptrace import hears
from tracedclient.transport.bounded import Bounded
from tracedclient.transport.connection.opening import Opening
from tracedclient.transport.response import HTTPResponse
from tracedclient.transport.writing import (
    CONTINUE_TIMEOUT,
    JOINED_BYTES,
    FinalAnswerFirst,
    Writing,
    as_text,
    asks,
    expects_continue,
)

if TYPE_CHECKING:
    from tracedclient.httptrace import ClientTrace

BLOCK = 128 * 1024
"""Bytes of a file that are read and sent at once, where its length was announced. One without a length
may be somebody's live output, and goes out in urllib3's smaller chunks as it comes."""


class Sending(Opening):
    """A connection that tells what it writes."""

    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, **kwargs: Any
    ) -> None:
        if self.sock is None:
            # http.client would connect while it sends; here, the connection comes first.
            self.connect()
        if self._is_written:
            self._rewrite(method, self.target or url, body, headers, **kwargs)
            return
        self.begun = None
        # urllib3 would bound the upload by the connect timeout; it is the reader's pace that counts.
        self.timeout = self.upload_timeout
        writing = Writing()
        writing.joins = isinstance(body, (bytes, str)) and 0 < len(body) <= JOINED_BYTES
        writing.waits = body is not None and expects_continue(headers)
        writing.closes = asks(headers, "connection", "close")
        self.blocksize = self._chunk if kwargs.get("chunked") else max(self._chunk, BLOCK)
        self._begin_writing(writing)
        error: BaseException | None = None
        try:
            super().request(method, self.target or url, body, headers, **kwargs)
        except FinalAnswerFirst as refusal:
            error = refusal
        except BaseException as failure:
            error = failure
            raise
        finally:
            self._end_writing(error)

    def send_whole(
        self, method: str, head: bytes, body: bytes | None, seconds: float | None
    ) -> int:
        """Send a request whose bytes are ready, with what ``request`` tells of one.

        Each write, and each read of its answer, may take ``seconds``, within the call's deadline.
        Returns when it left, in epoch nanoseconds, if there is a trace.
        """
        self._method = method  # http.client's
        self.upload_timeout = seconds
        if self.trace is not None:
            return self._send_told(self.trace, head, body, seconds)
        # Without asking at each step what it is that is sent.
        self.phase = "send"
        self._answering = sock = self.sock
        self.uses += 1
        self.idle_since = None
        self._writing = writing = Writing()
        self.sent = True
        first, rest = _pieces(head, body) if body else (head, b"")
        try:
            sys.audit("http.client.send", self, first)
            if isinstance(sock, Bounded):
                sock.send_within(first, seconds, None if self.call is None else self.call.deadline)
            else:
                sock.settimeout(seconds)
                sock.sendall(first)
            if rest:
                sys.audit("http.client.send", self, rest)
                sock.sendall(rest)
        except BaseException:
            # urllib3 looks for an answer all the same; nothing may follow it on this connection.
            writing.closes = True
            raise
        return 0

    def _send_told(
        self, trace: ClientTrace, head: bytes, body: bytes | None, seconds: float | None
    ) -> int:
        self._bound(seconds)
        self._begin_writing(Writing())
        error: BaseException | None = None
        try:
            if hears(trace, "wrote_header_field"):
                self._tell_fields(trace, head)
            self.sent = self._writing.head = True
            first, rest = _pieces(head, body)
            self.send(first)
            if rest:
                self.send(rest)
        except BaseException as failure:
            error = failure
            raise
        finally:
            self._end_writing(error)
        return self._writing.at

    @staticmethod
    def _tell_fields(trace: ClientTrace, head: bytes) -> None:
        for line in head.decode("ascii").split("\r\n")[1:-2]:
            name, _, value = line.partition(": ")
            trace.wrote_header_field(httptrace.WroteHeaderFieldInfo(key=name, values=(value,)))

    def _begin_writing(self, writing: Writing) -> None:
        """Begin an exchange on this open connection."""
        self.phase = "send"
        self.sent = False
        self._answering = self.sock
        self.set_deadline(self.call.deadline if self.call is not None else None)
        if self.trace is not None:
            self.watch_kernel()
            self.trace.got_conn(self.got_conn())
        self.uses += 1
        self.idle_since = None
        self._writing = writing

    def _end_writing(self, error: BaseException | None) -> None:
        """Tell what was written."""
        writing = self._writing
        if isinstance(error, FinalAnswerFirst):
            writing.complete, error = False, None
        elif error is not None:
            # urllib3 looks for an answer all the same; nothing may follow it on this connection.
            writing.closes = True
        if self.trace is not None:
            self.trace.wrote_request(writing.info(error))

    # --- what http.client calls -----------------------------------------------------------------

    def putheader(self, header: str, *values: str) -> None:  # type: ignore[override]
        super().putheader(header, *values)
        if self.trace is not None and not self._is_written:
            self.trace.wrote_header_field(
                httptrace.WroteHeaderFieldInfo(
                    key=as_text(header), values=tuple(as_text(v) for v in values)
                )
            )

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        if self._is_written:
            super().endheaders(*args, **kwargs)
            return
        # Until here the head was only collected; a retry after this may be a repetition.
        self.sent = True
        self._writing.head = True
        super().endheaders(*args, **kwargs)
        if self._writing.waits:
            self._wait_for_continue()

    def send(self, data: Any) -> None:
        if self._is_written:
            self._rewritten += data
            return
        writing = self._writing
        if writing.head and writing.joins and not writing.waits:
            # One message, one packet: the head goes out with the small body that follows it.
            writing.head, writing.held = False, bytes(data)
            return
        if writing.held:
            writing.head, data, writing.held = True, writing.held + data, b""
        if self.trace is not None:
            # Before it leaves: on a fast network the answer may be there before this thread is.
            writing.at = time.time_ns()
        super().send(data)
        if self.trace is not None:
            writing.count(data)
            if writing.head:
                self.trace.wrote_headers(httptrace.WroteHeadersInfo())
        writing.head = False

    def _wait_for_continue(self) -> None:
        """Hold the body back until the server wants it, refuses it, or is silent."""
        if self.trace is not None:
            self.trace.wait_100_continue(httptrace.Wait100ContinueInfo(timeout=CONTINUE_TIMEOUT))
        self.phase = "wait"
        method = self._method  # http.client's
        answer = HTTPResponse(self.sock, method=method, **self._observation())
        wanted: bool | None = None
        try:
            wanted = answer.wait_for_continue(self.sock, CONTINUE_TIMEOUT)
        finally:
            if wanted is None:
                answer.close()
        self.phase = "send"
        if wanted is not None:
            # It may have read ahead: this object has to read the final answer too.
            self._begun_answer = answer
        if wanted is False:
            raise FinalAnswerFirst

    # --- what somebody else has begun -----------------------------------------------------------

    def _rewrite(self, *args: Any, **kwargs: Any) -> None:
        """Have http.client come to know what it will be the answer to: ``send`` lets nothing out."""
        assert self.begun is not None
        self._rewritten = b""
        super().request(*args, **kwargs)
        if self._rewritten != self.begun.written:
            # A signal handler's request came between. Better no answer than another request's.
            raise http.client.CannotSendRequest("what was begun here is another request's")
        self._meet("send")

    @property
    def _is_written(self) -> bool:
        return self.begun is not None and self.begun.stage in {"send", "receive"}


def _pieces(head: bytes, body: bytes | None) -> tuple[bytes, bytes]:
    """What is written first, and then: one message, one packet, where the body is small."""
    if not body:
        return head, b""
    return (head + body, b"") if len(body) <= JOINED_BYTES else (head, body)
