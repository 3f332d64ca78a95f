"""What the kernel tells of a connection, each fact provoked on real sockets."""

from __future__ import annotations

import ctypes
import socket
import ssl
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from urllib3.util.ssltransport import SSLTransport

from tracedclient.transport.counted import look
from tracedclient.transport.dial import DialedSocket
from tracedclient.transport.kernel import (
    TCPInfo,
    arrival,
    delivery,
    difference,
    enable_timestamps,
    parse_tcp_info,
    received,
)
from tracedclient.transport.reading import read_first

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

_ATTACH_FILTER, _DETACH_FILTER = 26, 27


def tcp_info(sock):
    """All that the kernel tells of ``sock`` now."""
    data = look(sock)
    return None if data is None else parse_tcp_info(data)


@contextmanager
def connected(kind=socket.socket, receive_buffer=None):
    """A client's and its server's socket."""
    with socket.socket() as listener:
        if receive_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with kind(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(5)
            client.connect(listener.getsockname())
            server, _ = listener.accept()
            with server:
                server.settimeout(5)
                yield client, server


@pytest.fixture
def pair(start):
    return start(connected())


@pytest.fixture(scope="module")
def stamping():
    """Keeps the kernel noting arrivals: it begins some time after the first socket asks."""
    with connected() as (client, server):
        assert enable_timestamps(client)
        deadline = time.monotonic() + 5
        while True:
            server.sendall(b"x")
            stamp = arrival(client)
            client.recv(1)
            if stamp is not None:
                break
            assert time.monotonic() < deadline, "the kernel never noted an arrival"
        yield


@pytest.fixture
def stamped(pair, stamping):
    assert enable_timestamps(pair[0])
    return pair


@pytest.fixture
def encrypted(pair, server_context, ca_file):
    """``encrypted(version)``: the pair after a TLS handshake."""
    opened = []

    def wrap(version, make=ssl.SSLContext.wrap_socket):
        client, server = pair
        context = ssl.create_default_context(cafile=ca_file)
        context.minimum_version = context.maximum_version = version
        with ThreadPoolExecutor(1) as other:
            accepting = other.submit(
                server_context("localhost").wrap_socket, server, server_side=True
            )
            opened.append(make(context, client, server_hostname="localhost"))
            opened.append(accepting.result())
        return tuple(opened)

    yield wrap
    for sock in opened:
        sock.close()


def exchange(client, server, size=4096, answer=1000):
    """The answer carries the acknowledgement of the request."""
    client.sendall(b"q" * size)
    read_exactly(server, size)
    server.sendall(b"a" * answer)
    read_exactly(client, answer)


def read_exactly(sock, size):
    while size:
        size -= len(sock.recv(size))


def eventually(sock, holds):
    """The kernel's state once ``holds(state)``: of that, there is no event to wait for."""
    deadline = time.monotonic() + 5
    while not holds(info := tcp_info(sock)):
        assert time.monotonic() < deadline, info
        time.sleep(0.002)
    return info


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextmanager
def losing_everything(sock):
    """Every packet to ``sock`` is lost: a classic BPF program of one instruction drops it."""
    drop_all = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))
    program = struct.pack("@HP", 1, ctypes.addressof(drop_all))
    sock.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
    try:
        yield
    finally:
        sock.setsockopt(socket.SOL_SOCKET, _DETACH_FILTER, struct.pack("i", 0))


# --- TCP_INFO -------------------------------------------------------------------------------------


def test_a_new_connection_is_told_from_an_unmeasured_one(pair):
    """After the handshake the round trip is known and no payload has gone anywhere."""
    info = tcp_info(pair[0])

    assert info.state == "ESTABLISHED"
    assert 0 < info.min_rtt <= info.rtt < 1
    assert 0 < info.rttvar < 1
    assert info.snd_cwnd > 0
    assert (info.retransmits, info.total_retrans, info.unacked, info.lost) == (0, 0, 0, 0)
    assert (info.data_segs_in, info.data_segs_out, info.notsent_bytes) == (0, 0, 0)


def test_a_socket_that_never_connected_has_no_round_trip_time():
    """The kernel's initial values are not passed off as measurements."""
    with socket.socket() as sock:
        assert tcp_info(sock) == TCPInfo(state="CLOSE", snd_cwnd=tcp_info(sock).snd_cwnd)


def test_an_exchange_is_counted_to_the_byte(pair):
    """All 4,096 bytes acknowledged: the SYN, which the kernel counts as a byte, is taken off."""
    client, server = pair
    exchange(client, server)

    delta = difference(None, tcp_info(client))

    assert (delta.bytes_acked, delta.bytes_received) == (4096, 1000)
    assert (delta.data_segments_out, delta.data_segments_in) == (1, 1)
    # SYN, its acknowledgement, the request; the answer may or may not be acknowledged yet.
    assert delta.segments_out in {3, 4}
    # SYN, and the answer, with an acknowledgement of the request on its own or not.
    assert delta.segments_in in {2, 3}
    assert delta.retransmits == 0
    assert 0 < delta.min_rtt_ms <= delta.rtt_ms < 1000


def test_the_second_request_is_counted_alone(pair):
    """On a kept connection, a difference has nothing of the requests before."""
    client, server = pair
    exchange(client, server)
    before = tcp_info(client)
    exchange(client, server, size=10, answer=20)

    delta = difference(before, tcp_info(client))

    assert (delta.bytes_acked, delta.bytes_received) == (10, 20)
    assert (delta.data_segments_out, delta.data_segments_in) == (1, 1)


def test_the_end_of_a_request_is_no_payload(pair):
    """A FIN of ours, which the kernel counts as a byte, is not in the bytes acknowledged."""
    client, server = pair
    exchange(client, server)
    client.shutdown(socket.SHUT_WR)
    half_closed = eventually(client, lambda info: info.state == "FIN_WAIT2")
    assert difference(None, half_closed).bytes_acked == 4096
    assert delivery(None, half_closed, 4096) == "acknowledged"


def test_the_end_of_an_answer_is_no_payload(pair):
    """The peer's FIN, which ends many an answer, is not in the bytes received."""
    client, server = pair
    exchange(client, server)
    server.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""

    assert tcp_info(client).state == "CLOSE_WAIT"
    assert difference(None, tcp_info(client)).bytes_received == 1000


def test_a_reset_after_a_fin_brings_no_byte(pair):
    """A kept connection that the server had closed: the request gets a reset, 0 bytes came."""
    client, server = pair
    exchange(client, server)
    before = tcp_info(client)
    server.close()
    assert client.recv(1) == b""
    client.sendall(b"request")

    after = eventually(client, lambda info: info.state == "CLOSE")

    assert difference(before, after).bytes_received == 0
    assert difference(before, after).bytes_acked == 0
    assert delivery(before, after, 7) == "unacknowledged"


def test_lost_segments_are_counted(pair):
    """What was sent again shows as such, and its bytes count once."""
    client, server = pair
    with losing_everything(server):
        client.sendall(b"q" * 4096)
        lost = eventually(client, lambda info: info.total_retrans > 0 and info.retransmits > 0)
        assert lost.unacked > 0
        assert delivery(None, lost, 4096) == "unacknowledged"
        assert difference(None, lost).bytes_acked == 0
    found = eventually(client, lambda info: info.unacked == 0)

    delta = difference(None, found)

    assert delta.retransmits >= 1
    assert delta.bytes_acked == 4096
    assert delta.data_segments_out == 1 + delta.retransmits
    assert found.bytes_sent == 4096 + found.bytes_retrans
    assert delivery(None, found, 4096) == "acknowledged"


def test_counters_that_went_back_are_unknown(pair):
    """Two moments of different connections have no difference, rather than a negative one."""
    client, server = pair
    fresh = tcp_info(client)
    exchange(client, server)

    delta = difference(tcp_info(client), fresh)

    assert (delta.bytes_acked, delta.bytes_received, delta.segments_out) == (None, None, None)
    assert delivery(tcp_info(client), fresh, 10) is None


def test_tls_is_counted_below_the_encryption(encrypted):
    """A TLS socket tells as a plain one does; its bytes are those of the records."""
    client, server = encrypted(ssl.TLSVersion.TLSv1_3)
    before = tcp_info(client)
    exchange(client, server)
    after = tcp_info(client)

    # One record each: 5 bytes of header, 1 of content type, 16 of authentication.
    assert difference(before, after).bytes_acked == 4096 + 22
    assert delivery(before, after, 4096) == "acknowledged"


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET])
def test_what_is_not_tcp_is_none(family):
    """Unix and UDP sockets have no such facts, and asking is no error."""
    kind = socket.SOCK_STREAM if family == socket.AF_UNIX else socket.SOCK_DGRAM
    with socket.socket(family, kind) as sock:
        assert tcp_info(sock) is None


def test_a_closed_socket_is_none(pair):
    """After the close there is nothing to ask."""
    pair[0].close()

    assert tcp_info(pair[0]) is None
    assert enable_timestamps(pair[0]) is False


def test_tls_without_a_socket_is_none(encrypted):
    """urllib3's TLS inside of TLS is no socket: nothing is known, nothing is waited for."""
    transport, _ = encrypted(
        ssl.TLSVersion.TLSv1_2,
        lambda context, sock, **options: SSLTransport(sock, context, **options),
    )

    assert tcp_info(transport) is None
    assert enable_timestamps(transport) is False
    assert arrival(transport) is None


def test_a_connection_in_the_making_has_no_round_trip_time(black_hole):
    """While the SYN is unanswered, the kernel's placeholders are not passed off as times."""
    with socket.socket() as sock:
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.connect(black_hole)

        info = tcp_info(sock)

    assert (info.state, info.segs_out, info.segs_in) == ("SYN_SENT", 1, 0)
    assert (info.rtt, info.rttvar, info.min_rtt) == (None, None, None)


_HEADER_ORDER = (
    "state ca_state retransmits probes backoff options wscale flags"
    " rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent"
    " last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss"
    " reordering rcv_rtt rcv_space total_retrans"
    " pacing_rate max_pacing_rate bytes_acked bytes_received"
    " segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out"
    " delivery_rate busy_time rwnd_limited sndbuf_limited delivered delivered_ce"
    " bytes_sent bytes_retrans"
)


def test_every_field_stands_where_the_header_says():
    """The fields of ``struct tcp_info`` in the header's order, each of another value."""
    values = {name: number for number, name in enumerate(_HEADER_ORDER.split(), start=1)}

    info = parse_tcp_info(struct.pack("8B24I4Q6I4Q2I2Q", *values.values()))

    assert info.state == "ESTABLISHED"
    for name in {*TCPInfo.__struct_fields__} - {"state", "rtt", "rttvar", "min_rtt"}:
        assert getattr(info, name) == values[name], name
    for name in ("rtt", "rttvar", "min_rtt"):
        assert getattr(info, name) == values[name] / 1e6, name


@pytest.mark.parametrize(
    ("length", "known", "unknown"),
    [
        (1, "state", "retransmits"),
        (104, "total_retrans", "bytes_acked"),
        (136, "bytes_received", "segs_out"),
        (148, "notsent_bytes", "min_rtt"),
        (160, "data_segs_out", "delivery_rate"),
        (216, "bytes_retrans", None),
    ],
)
def test_an_older_kernel_leaves_later_fields_unknown(pair, length, known, unknown):
    """A shorter struct is read as far as it goes, and what lies beyond is None, not 0."""
    data = pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, length)
    assert len(data) == length

    info = parse_tcp_info(data)

    assert getattr(info, known) is not None
    assert unknown is None or getattr(info, unknown) is None
    assert (delivery(None, info, 0) is None) == (length < 216)
    assert (difference(None, info).bytes_acked is None) == (length < 136)


def test_counters_that_are_not_kept_are_unknown(pair):
    """A network stack that counts nothing (gVisor) yields None instead of false zeros."""
    exchange(*pair)
    data = pair[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)

    info = parse_tcp_info(data[:100] + bytes(len(data) - 100))

    assert info.state == "ESTABLISHED"
    assert info.rtt is not None
    assert info.bytes_acked is info.segs_in is info.total_retrans is info.unacked is None
    assert delivery(None, info, 4096) is None


# --- Did it arrive? -------------------------------------------------------------------------------


def test_nothing_sent_has_not_left(pair):
    """A connection that was never written to: nothing left the machine."""
    before = tcp_info(pair[0])

    assert delivery(before, tcp_info(pair[0]), 0) == "none_left"
    assert delivery(None, before, 0) == "none_left"


def test_what_the_peers_kernel_has_is_acknowledged(pair):
    """Acknowledged does not need a peer that reads."""
    pair[0].sendall(b"q" * 4096)

    after = eventually(pair[0], lambda info: info.bytes_acked == 4097)

    assert delivery(None, after, 4096) == "acknowledged"


def test_a_peer_that_stops_reading_has_a_part(start):
    """A sendall that timed out says nothing of what left; the kernel does, after a reset too."""
    client, server = start(connected(receive_buffer=4096))
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.sendall(bytes(20_000_000))

    after = tcp_info(client)

    assert after.notsent_bytes > 0
    assert difference(None, after).bytes_acked > 0
    assert delivery(None, after, 0) == "partly_acknowledged"
    reset(server)
    after = eventually(client, lambda info: info.state == "CLOSE")
    assert after.unacked == 0
    assert delivery(None, after, 0) == "partly_acknowledged"


def test_a_request_behind_another_one_is_unacknowledged(start):
    """What is acknowledged meanwhile is the earlier request's, which was waiting already."""
    client, server = start(connected(receive_buffer=4096))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
    client.sendall(bytes(200_000))
    before = eventually(client, lambda info: info.notsent_bytes > 100_000 and info.unacked == 0)
    client.sendall(b"q" * 100)
    read_exactly(server, 20_000)

    after = eventually(client, lambda info: info.bytes_acked > before.bytes_acked)

    assert delivery(before, after, 100) == "unacknowledged"


@pytest.mark.parametrize("sent", [0, 100])
def test_what_became_of_a_closed_socket_is_unknown(sent):
    """Without a last look at the connection, no claim is made."""
    assert delivery(None, None, sent) is None


def test_a_contradiction_is_unknown(pair):
    """Bytes that send took and the kernel never had: no claim is made."""
    info = tcp_info(pair[0])

    assert delivery(info, info, 10) is None


# --- receive timestamps ---------------------------------------------------------------------------


def assert_own_time(client, server, **options):
    """An answer that lies unread for 100 ms has the time at which it came."""
    # Else it would leave with the acknowledgement of the handshake's end, 40 ms later.
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    earliest = time.time_ns()
    server.sendall(b"answer")
    latest = time.time_ns()
    time.sleep(0.1)

    stamp = arrival(client, **options)

    assert earliest <= stamp <= latest + 50_000_000
    assert time.time_ns() - stamp >= 50_000_000
    assert client.recv(100) == b"answer"


def test_an_answer_that_lay_unread_has_its_own_time(stamped):
    """While this process was busy for 100 ms, the kernel knew when the answer came."""
    assert_own_time(*stamped)


def test_asking_consumes_nothing(stamped):
    """Asked twice, it says the same, and the read that follows gets every byte."""
    client, server = stamped
    server.sendall(b"answer")

    assert arrival(client) == arrival(client) is not None
    assert client.recv(100) == b"answer"


def test_asking_waits_for_data(stamped):
    """Asked before the answer is there, it waits as a read would."""
    client, server = stamped
    with ThreadPoolExecutor(1) as other:
        asking = other.submit(arrival, client)
        time.sleep(0.02)
        earliest = time.time_ns()
        server.sendall(b"answer")

        assert asking.result(5) >= earliest


def test_asking_times_out_as_a_read_does(stamped):
    """The socket's timeout is spent once: it is raised here, not again by the read after it."""
    client, server = stamped
    client.settimeout(0.02)
    with pytest.raises(TimeoutError):
        arrival(client)

    client.settimeout(5)
    server.sendall(b"answer")
    assert arrival(client) is not None


def test_a_reset_is_not_swallowed(stamped):
    """The kernel reports it once; were it hidden, the read after it would see a proper end."""
    client, server = stamped
    reset(server)

    with pytest.raises(ConnectionResetError):
        arrival(client)


def test_the_end_of_the_stream_has_no_time(stamped):
    """At its end there is no byte that could have arrived."""
    client, server = stamped
    server.shutdown(socket.SHUT_WR)

    assert arrival(client) is None


def test_without_timestamps_there_is_no_time(pair, stamping):
    """A socket that never asked for them says so, and keeps its data."""
    client, server = pair
    server.sendall(b"answer")

    assert arrival(client) is None
    assert client.recv(100) == b"answer"


def test_the_clients_own_sockets_are_stamped(start, stamping):
    """The socket that the transport dials is a subclass, and works alike."""
    client, server = start(connected(DialedSocket))
    assert enable_timestamps(client)
    server.sendall(b"answer")

    assert arrival(client) is not None


def test_only_arrivals_are_asked_for(pair):
    """Software receive timestamps and no others: those of sent data would pile up unread."""
    enable_timestamps(pair[0])

    rx_software, software = 1 << 3, 1 << 4
    assert pair[0].getsockopt(socket.SOL_SOCKET, 37) == rx_software | software


def test_unix_sockets_are_not_stamped():
    """Packets are stamped, and a Unix socket has none."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"answer")

        assert enable_timestamps(ours) is False
        assert arrival(ours) is None
        assert ours.recv(100) == b"answer"


def test_tls_records_are_stamped(stamped, encrypted):
    """Under TLS 1.2 the first bytes after the handshake are the answer's."""
    assert_own_time(*encrypted(ssl.TLSVersion.TLSv1_2))


def test_session_tickets_are_not_taken_for_the_answer(stamped, encrypted):
    """Under TLS 1.3 something unasked for arrives first: no time until an answer was read."""
    client, server = encrypted(ssl.TLSVersion.TLSv1_3)
    assert socket.socket.recv(client, 1, socket.MSG_PEEK) != b"", "no ticket came"
    assert arrival(client) is None
    exchange(client, server)

    assert_own_time(client, server, answered=True)


def test_what_tls_holds_already_has_no_time(stamped, encrypted):
    """The rest of a decrypted record is not waited for in the network."""
    client, server = encrypted(ssl.TLSVersion.TLSv1_2)
    server.sendall(b"answer")
    assert client.recv(1) == b"a"

    assert arrival(client, answered=True) is None
    assert client.recv(100) == b"nswer"


# --- the same, and the data with it -----------------------------------------------------------------


def test_one_call_reads_and_tells(stamped):
    """A read that tells the time has all the data, and the time that asking for it alone has."""
    client, server = stamped
    server.sendall(b"answer")

    stamp = arrival(client)

    assert stamp is not None
    assert received(client, 100) == (b"answer", stamp)


@pytest.mark.parametrize("kind", [socket.socket, DialedSocket])
def test_pieces_that_lay_unread_together_have_one_time(start, stamping, kind):
    """An answer in pieces that all came before it was read has one time, however it is asked for."""
    client, server = start(connected(kind))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert enable_timestamps(client)
    for piece in (b"head", b"body", b"x" * 10_000):
        server.sendall(piece)
        time.sleep(0.01)

    stamp = arrival(client)

    assert stamp is not None
    assert received(client, 65536) == (b"headbody" + b"x" * 10_000, stamp)


def test_a_long_answer_has_the_time_of_its_beginning(stamped):
    """Of an answer that came little by little, the first read tells when its first part came."""
    client, server = stamped
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(40):
        server.sendall(b"x" * 1448)
        time.sleep(0.002)
    lain = time.time_ns() - arrival(client)

    data, buffered = read_first(client, 65536, answered=True, written_at=1)

    assert len(data) == 16384
    assert buffered >= lain / 1e9 >= 0.04


def test_a_short_read_leaves_the_rest(stamped):
    """What does not fit is there for the next read, and has a time as well."""
    client, server = stamped
    server.sendall(b"answer")

    first, stamp = received(client, 2)

    assert (first, stamp is None) == (b"an", False)
    assert received(client, 100) == (b"swer", stamp)


def test_a_read_that_tells_times_out(stamped):
    """Where nothing comes, it ends with the socket's timeout."""
    stamped[0].settimeout(0.02)

    with pytest.raises(TimeoutError):
        received(stamped[0], 100)


def test_a_read_that_tells_of_a_reset(stamped):
    """A reset is raised as ``recv`` raises it."""
    client, server = stamped
    reset(server)

    with pytest.raises(ConnectionResetError):
        received(client, 100)


def test_a_read_that_tells_of_the_end(stamped):
    """The end of the stream is no data, and has no time."""
    client, server = stamped
    server.shutdown(socket.SHUT_WR)

    assert received(client, 100) == (b"", None)


def test_a_read_without_timestamps_has_its_data(pair, stamping):
    """A socket that never asked for times reads as any other."""
    client, server = pair
    server.sendall(b"answer")

    assert received(client, 100) == (b"answer", None)


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_read_of_tls_tells_as_asking_does(stamped, encrypted, version, answered):
    """TLS decrypts what it reads, and has the time of what came on the wire, where it has one."""
    client, server = encrypted(version)
    exchange(client, server)
    server.sendall(b"answer")
    stamp = arrival(client, answered=answered)

    assert received(client, 100, answered=answered) == (b"answer", stamp)
    assert (stamp is None) == (version is ssl.TLSVersion.TLSv1_3 and not answered)


def test_a_read_of_what_is_no_socket(encrypted):
    """urllib3's TLS inside of TLS reads by its own ``recv``."""
    transport, server = encrypted(
        ssl.TLSVersion.TLSv1_2,
        lambda context, sock, **options: SSLTransport(sock, context, **options),
    )
    server.sendall(b"answer")

    assert received(transport, 100) == (b"answer", None)
