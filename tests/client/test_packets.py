"""One message, one packet; and how many pieces the answer came in."""

from __future__ import annotations

import threading

import servers
from journal import Journal


def written(client, server, **options):
    journal = Journal()
    client.post(server.url, trace=journal, **options)
    return journal.one("wrote_request")


def test_a_head_and_a_small_body_are_one_write(client, start):
    """A small POST leaves in one write, and arrives in one piece."""
    pieces = []

    def handle(peer):
        pieces.append(peer.socket.recv(65536))
        peer.answer(200)

    server = start(servers.ScriptedServer(handle))

    info = written(client, server, json={"item": "x" * 1000})

    assert info.writes == 1
    assert len(pieces[0]) == info.bytes_sent
    assert pieces[0].endswith(b'"}')


def test_a_large_body_is_not_copied(client, start):
    """A body beyond one segment goes out in a write of its own, as the object it is."""
    server = start(servers.serve(servers.echo))

    info = written(client, server, data=b"x" * 100_000)

    assert info.writes == 2
    assert info.bytes_sent > 100_000


def test_a_request_without_body_is_one_write(client, echo_server):
    """A GET is one write."""
    journal = Journal()
    client.get(echo_server.url, trace=journal)

    assert journal.one("wrote_request").writes == 1


def test_written_means_that_the_kernel_has_it(client, start):
    """``wrote_headers`` and ``wrote_request`` come after the bytes have left, joined or not."""
    arrived = threading.Event()

    def handle(peer):
        peer.read_request()
        arrived.set()
        peer.answer(200)

    class Waits(Journal):
        pass

    seen = []

    def wrote_headers(self, info):
        seen.append(arrived.wait(5))

    Waits.wrote_headers = wrote_headers
    client.post(start(servers.ScriptedServer(handle)).url, data=b"small", trace=Waits())

    assert seen == [True]


def test_thirty_small_packets_are_seen_at_once(client, start):
    """An answer in thirty pieces shows its reads, its bytes and its longest silence."""
    pause = threading.Event()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"

    def handle(peer):
        peer.read_request()
        peer.send(answer)
        for number in range(30):
            pause.wait(0.3 if number == 20 else 0.01)
            peer.send(b"x")
        peer.drain()

    trace = client.get(start(servers.ScriptedServer(handle)).url).trace

    exchange = trace.attempts[0].exchanges[0]
    assert exchange.reads > 15
    assert exchange.bytes_received == len(answer) + 30
    assert 200 <= exchange.longest_silence_ms < 3000


def test_the_pieces_of_a_head_count_too(client, start):
    """A status line in three pieces is read well, and its pieces and silence are counted."""
    pause = threading.Event()

    def handle(peer):
        peer.read_request()
        for piece in (b"HTTP/1", b".1 200 O", b"K\r\nContent-Length: 2\r\n\r\nok"):
            peer.send(piece)
            pause.wait(0.2)
        peer.drain()

    response = client.get(start(servers.ScriptedServer(handle)).url)

    exchange = response.trace.attempts[0].exchanges[0]
    assert response.text == "ok"
    assert exchange.reads == 3
    assert exchange.longest_silence_ms >= 100
