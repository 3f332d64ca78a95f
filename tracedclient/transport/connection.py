"""The connections: urllib3's, which also tell a ``ClientTrace`` what they do.

The classes bear urllib3's names, because those names appear in error texts that people search for.
A connection is bound to the trace of the request it carries by its pool, and unbound when it goes
back; the answer it hands out keeps the trace until its body is done.
"""

from __future__ import annotations

import http.client
import itertools
import re
import select
import sys
import time
from contextlib import contextmanager
from functools import partial
from ssl import SSLError
from typing import TYPE_CHECKING, Any

import urllib3.connection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import Timeout
from urllib3.util.ssltransport import SSLTransport

from tracedclient import httptrace
from tracedclient._pattern import pattern
from tracedclient.httptrace import hears
from tracedclient.redaction import causes
from tracedclient.transport import on_demand
from tracedclient.transport.bounded import Bounded, keep_deadline, set_deadline
from tracedclient.transport.dial import USUAL, DialedSocket, address_text, connect, resolve
from tracedclient.transport.failure import WireFacts, attach
from tracedclient.transport.handshake import is_plain, shake_hands
from tracedclient.transport.response import HTTPResponse
from tracedclient.transport.tls import refused_state, tls_state
from tracedclient.transport.tunnel import TunnelAnswer, TunnelResponse
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
    import socket
    import ssl
    import weakref
    from collections.abc import Iterator
    from socket import gaierror

    from tracedclient.httptrace import ClientTrace
    from tracedclient.inflight import OngoingCall
    from tracedclient.trace.model import TCP
    from tracedclient.transport.addresses import AddressPolicy
    from tracedclient.transport.begun import Begun, Stage
    from tracedclient.transport.stamping import Stamping

    _Base = urllib3.connection.HTTPConnection
else:
    from socket import gaierror

    _Base = object

_ids = itertools.count(1)


BLOCK = 128 * 1024
"""Bytes of a file that are read and sent at once, where its length was announced. One without a length
may be somebody's live output, and goes out in urllib3's smaller chunks as it comes."""

MAX_IDLE = 30.0
"""Seconds a connection may lie in the pool. Servers and what stands between close idle ones, and a
request that is under way at that moment is lost without a word; better to be the first to go."""

_KEEP_ALIVE_TIMEOUT = pattern(r"timeout\s*=\s*([0-9]{1,9})", re.ASCII | re.IGNORECASE)


class Traced(_Base):
    """What both kinds of connection add to urllib3's."""

    response_class: Any = HTTPResponse

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.id = next(_ids)
        self._chunk = self.blocksize
        self.trace: ClientTrace | None = None
        self.phase = "connect"
        self.sent = False
        self.uses = 0
        self.opened_at = 0.0
        self.idle_since: float | None = None
        self.max_idle = MAX_IDLE
        self.call: OngoingCall | None = None
        self.mark: weakref.ref[Traced] | None = None
        """By which its pool knows it."""
        self.dialing = USUAL
        self.upload_timeout: float | None = None
        self.target: str | None = None
        self.peer = ""
        """The address that it goes to; empty when only a proxy knows."""
        self._answering: Any = None
        self._tcp_before: bytes | None = None
        self._is_stamped = False
        self._stamping: Stamping | None = None
        self._poll: select.poll | None = None
        self._ends: tuple[str | None, str | None] | None = None
        """Its addresses, once they were asked for."""
        self._writing = Writing()
        self._begun_answer: HTTPResponse | None = None
        self.begun: Begun | None = None
        """What was done of the next exchange before this connection got it."""
        self._rewritten = b""
        self._handshake: httptrace.TLSHandshakeStartInfo | None = None

    # --- opening ------------------------------------------------------------------------------

    def connect(self) -> None:
        self._meet("connect")
        self.id = next(_ids) if self.uses else self.id
        self.uses = 0
        self.idle_since = None
        self.max_idle = MAX_IDLE
        self.sent = False
        self._answering = self._tcp_before = self._ends = self._poll = None
        if self.trace is None:
            self._stamping = None
        elif self._is_stamped and self._stamping is None:
            # The second in turn: more of its kind will come.
            self._stamping = on_demand.stamping.kept_on()
        self._is_stamped = False
        self._reach()
        self.opened_at = time.monotonic()

    def _reach(self) -> None:
        """Do what urllib3 does to connect."""
        super().connect()

    def _new_conn(self) -> socket.socket:
        # To a proxy it may always go: what the policy is about is where that connects to.
        policy = self.dialing.addresses if self.proxy is None else None
        sock = self._dial(self._dns_host, self.port, policy)
        self.peer = "" if self.proxy is not None else sock.peer
        if self.call is not None:
            sock.deadline = self.call.deadline
            sock.keep_deadline()
        sys.audit("http.client.connect", self, self.host, self.port)
        self._prepare_handshake(sock)
        return sock

    def _dial(self, host: str, port: int, policy: AddressPolicy | None = None) -> DialedSocket:
        """Connect to ``host``, with urllib3's errors for what can go wrong.

        Only to those of its addresses that ``policy`` permits; ``Denied`` when it permits none.
        """
        try:
            self.phase = "dns"
            deadline = self.call.deadline if self.call is not None else None
            addresses = resolve(host.strip("[]"), port, self.trace, self.dialing, deadline=deadline)
            if policy is not None:
                addresses = policy.permitted(host, addresses)
            self.phase = "connect"
            return connect(
                addresses,
                timeout=self._seconds(),
                deadline=deadline,
                source_address=self.source_address,
                socket_options=self.socket_options,
                trace=self.trace,
                stagger=self.dialing.stagger,
            )
        except gaierror as error:
            raise NameResolutionError(host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(
                self, f"Connection to {host} timed out. (connect timeout={self.timeout})"
            ) from error
        except OSError as error:
            raise NewConnectionError(
                self, f"Failed to establish a new connection: {error}"
            ) from error

    def _seconds(self) -> float | None:
        return Timeout.resolve_default_timeout(self.timeout)

    def _prepare_handshake(self, sock: DialedSocket) -> None:
        """Nothing to do where no TLS follows."""

    def _tunnel(self) -> None:
        self.phase = "proxy"
        answer = TunnelAnswer()
        self.response_class = partial(TunnelResponse, into=answer)
        try:
            with self._telling_of_tunnel(answer), answer:
                super()._tunnel()
        finally:
            self.response_class = HTTPResponse
        keep_deadline(self.sock)

    @contextmanager
    def _telling_of_tunnel(self, answer: TunnelAnswer) -> Iterator[None]:
        trace = self.trace
        if trace is None:
            yield
            return
        target = address_text((self._tunnel_host, self._tunnel_port))
        trace.proxy_connect_start(httptrace.ProxyConnectStartInfo(target=target))
        error: BaseException | None = None
        try:
            yield
        except BaseException as failure:
            error = failure
            raise
        finally:
            trace.proxy_connect_done(
                httptrace.ProxyConnectDoneInfo(
                    target=target, status=answer.status, headers=answer.headers, error=error
                )
            )

    # --- the request --------------------------------------------------------------------------

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

    # --- what somebody else has begun ---------------------------------------------------------

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

    def _meet(self, stage: Stage) -> None:
        """Raise what was raised in this stage."""
        if self.begun is not None and self.begun.stage == stage and self.begun.error is not None:
            raise self.begun.error

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, and nothing lies on it to be read: its end neither."""
        if self.sock is None or not hasattr(select, "poll"):
            return super().is_connected
        if self._poll is None:
            # Kept: to make one and to register the socket takes longer than to ask it.
            self._poll = select.poll()
            self._poll.register(self.sock, select.POLLIN)
        return not self._poll.poll(0)

    def is_ready(self) -> bool:
        """Whether it can carry a request at once: open, well, and not idle for too long."""
        if self._poll is None or self.sock is None or self.idle_since is None:
            return False
        # Ended by its peer, or about to be.
        return not self._poll.poll(0) and time.monotonic() - self.idle_since <= self.max_idle

    def rest(self) -> None:
        """Be nobody's until the next request."""
        self.trace = self.call = None
        answering = self._answering
        if isinstance(answering, Bounded):
            answering.deadline = None
        self.idle_since = None if self.sock is None else time.monotonic()

    @property
    def may_be_used_plainly(self) -> bool:
        """Whether nothing about it calls for urllib3's own words, or http.client's."""
        return self.sock is not None and self.debuglevel == 0

    def is_told_of(self, trace: ClientTrace | None, written: int, at: int) -> None:
        """Go on telling ``trace``, which knows already what was written, and when it left."""
        self.trace = trace
        self._writing.bytes, self._writing.at = written, at

    def watch_kernel(self) -> None:
        """Have the kernel note what it sees from now on."""
        self._tcp_before = before = on_demand.counted.look(self.sock)
        if not self._is_stamped:
            self._is_stamped = on_demand.kernel.enable_timestamps(
                self.sock, is_tcp=before is not None
            )

    def kernel_facts(self, *, sent: int | None = None) -> TCP | None:
        """What the kernel has seen of this exchange; with ``sent``, whether those bytes arrived."""
        counted = on_demand.counted
        before, after = self._tcp_before, counted.look(self._answering)
        if before is None or after is None:
            return None
        return counted.between(before, after, sent=sent)

    def got_conn(self) -> httptrace.GotConnInfo:
        """Return what a trace is told of it when it is ready to be written to."""
        if self._ends is None:
            self._ends = _ends(self.sock)
        local, remote = self._ends
        now = time.monotonic()
        return httptrace.GotConnInfo(
            conn_id=self.id,
            reused=self.uses > 0,
            was_idle=self.idle_since is not None,
            idle_time=None if self.idle_since is None else now - self.idle_since,
            age=now - self.opened_at,
            uses=self.uses,
            local=local,
            remote=remote,
        )

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

    # --- the answer ---------------------------------------------------------------------------

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        self.phase = "wait"
        answer, self._begun_answer = self._begun_answer, None
        begun, self.begun = self.begun, None
        if answer is not None:
            self.response_class = lambda *_, **__: answer
        elif self.trace is not None or self._writing.closes or begun is not None:
            self.response_class = partial(HTTPResponse, **self._observation(), begun=begun)
        try:
            response = super().getresponse()
        finally:
            self.response_class = HTTPResponse
        self.phase = "receive"
        self.learn_idle_time(response.headers.get("keep-alive"))
        wire = response._original_response  # noqa: SLF001 - urllib3 has no public way to it
        if isinstance(wire, HTTPResponse):
            wire.bind(response)
            wire.peer = self.peer
        return response

    def learn_idle_time(self, keep_alive: str | None) -> None:
        """Take the server's word on when it will close this connection, and be earlier."""
        match = _KEEP_ALIVE_TIMEOUT.search(keep_alive) if keep_alive else None
        if match is not None:
            self.max_idle = min(MAX_IDLE, max(0.0, int(match[1]) - 1.0))

    def _bound(self, seconds: float | None) -> None:
        sock, deadline = self.sock, self.call.deadline if self.call is not None else None
        if isinstance(sock, Bounded):
            sock.bound(seconds, deadline)
        else:
            sock.settimeout(seconds)

    def set_deadline(self, deadline: float | None) -> None:
        """Bound the rest of the exchange; the body too, which may outlive ``self.sock``."""
        set_deadline(self._answering, deadline)

    def _observation(self) -> dict[str, Any]:
        return {
            "trace": self.trace,
            "reused": self.uses > 1,
            "kernel": self.kernel_facts,
            "written_at": self._writing.at,
            "must_close": self._writing.closes,
        }

    # --- the end ------------------------------------------------------------------------------

    def close(self) -> None:
        answer, self._begun_answer = self._begun_answer, None
        if answer is not None:
            answer.close()
        super().close()

    def failed(self, error: BaseException) -> None:
        """Attach what is known to ``error``, which came up in the current phase, and tell of it."""
        if any(
            # One that was not raised by OpenSSL has no reason.
            isinstance(cause, SSLError) and "ALERT" in str(getattr(cause, "reason", ""))
            for cause in causes(error)
        ):
            # TLS 1.3 lets the client finish first: the server's refusal comes while it sends or waits.
            self.phase = "tls"
        facts = WireFacts(self.phase, sent=self.sent, reused=self.uses > 1)
        attach(error, facts)
        if self.trace is not None:
            tcp = self.kernel_facts(sent=self._writing.bytes)
            self.trace.failed(httptrace.FailedInfo(error=error, tcp=tcp, **facts._asdict()))


class HTTPConnection(Traced, urllib3.connection.HTTPConnection):
    """urllib3's ``HTTPConnection``, observed."""


class HTTPSConnection(Traced, urllib3.connection.HTTPSConnection):
    """urllib3's ``HTTPSConnection``, observed; its handshakes are told apart from their setup."""

    @property
    def is_connected(self) -> bool:
        return super().is_connected and not _holds_more(self.sock)

    def is_ready(self) -> bool:
        return super().is_ready() and not _holds_more(self.sock)

    @property
    def may_be_used_plainly(self) -> bool:
        # urllib3 warns at every request that goes to nobody knows whom.
        return super().may_be_used_plainly and self.is_verified

    def connect(self) -> None:
        try:
            super().connect()
        except BaseException as error:
            self._handshake_done(None, error)
            raise
        self._handshake_done(self.sock, None)

    def _reach(self) -> None:
        if not is_plain(self):
            super()._reach()
            return
        self.sock = sock = self._new_conn()
        self.sock = shake_hands(self, sock)
        self.is_verified = True

    def _prepare_handshake(self, sock: DialedSocket) -> None:
        self.phase = "tls"
        if self.trace is not None:
            sock.before_handshake = self._handshake_start

    def _connect_tls_proxy(self, hostname: str, sock: socket.socket) -> ssl.SSLSocket:
        wrapped = super()._connect_tls_proxy(hostname, sock)
        self._handshake_done(wrapped, None)
        return wrapped

    def _tunnel(self) -> None:
        super()._tunnel()
        self.phase = "tls"
        if self.trace is not None and not isinstance(self.sock, DialedSocket):
            # TLS inside of TLS: no plain socket is handed over that could tell the exact moment.
            self._handshake_start()

    def _handshake_start(self) -> None:
        trace = self.trace
        if trace is None:
            return
        to_proxy = self.proxy is not None and (
            self.proxy_is_forwarding or self.sock is None or not self._has_connected_to_proxy
        )
        name = self.server_hostname or self._tunnel_host or self.host
        self._handshake = httptrace.TLSHandshakeStartInfo(
            server_name=self.host if to_proxy else name, proxy=to_proxy
        )
        trace.tls_handshake_start(self._handshake)

    def _handshake_done(self, sock: Any, error: BaseException | None) -> None:
        trace, handshake = self.trace, self._handshake
        self._handshake = None
        if trace is None or handshake is None:
            return
        trace.tls_handshake_done(
            httptrace.TLSHandshakeDoneInfo(
                server_name=handshake.server_name,
                proxy=handshake.proxy,
                state=refused_state(error) if error is not None else tls_state(sock),
                error=error,
            )
        )


def _holds_more(sock: Any) -> bool:
    """Whether TLS has taken in what nobody has read, and would take for the next answer: no look at
    the socket below finds it.
    """
    if isinstance(sock, SSLTransport):  # TLS inside of TLS
        return bool(sock.sslobj.pending() or sock.incoming.pending) or _holds_more(sock.socket)
    pending = getattr(sock, "pending", None)
    return pending is not None and pending() > 0


def _pieces(head: bytes, body: bytes | None) -> tuple[bytes, bytes]:
    """What is written first, and then: one message, one packet, where the body is small."""
    if not body:
        return head, b""
    return (head + body, b"") if len(body) <= JOINED_BYTES else (head, body)


def _ends(sock: Any) -> tuple[str | None, str | None]:
    try:
        return address_text(sock.getsockname()), address_text(sock.getpeername())
    except (AttributeError, OSError, TypeError, IndexError):
        # One of them may still be known: a connection that was reset has no peer any more.
        return _address(sock, "getsockname"), _address(sock, "getpeername")


def _address(sock: Any, which: str) -> str | None:
    try:
        return address_text(getattr(sock, which)())
    except (AttributeError, OSError, TypeError, IndexError):
        return None
