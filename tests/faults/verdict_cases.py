"""Faults of docs/verdict.md: of the name, the address, the request on its way, and the answer."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import servers
from dialing import hole

from faults import toxics
from faults.toxic_proxy import Proxy
from faults.verdict_lab import (
    HEAD,
    IMPATIENT,
    QUICK,
    SLOW,
    UPLOAD,
    answer,
    drip,
    fault,
    hold,
    pause,
    read,
    reset,
    send,
    stay,
    told,
)
from tracedclient import AddressPolicy, Timeout

# --- the name and the address ---------------------------------------------------------------------


@fault("the name does not exist")
def _(lab):
    lab.resolver["b.internal"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return lab.call("http://b.internal/")


@fault("the nameserver fails for the moment, on each attempt")
def _(lab):
    lab.resolver["b.internal"] = socket.gaierror(socket.EAI_AGAIN, "Temporary failure")
    return lab.call("http://b.internal/", retry=QUICK)


@fault("the lookup is slow")
def _(lab):
    lab.resolver["slow.test"] = lab.late("127.0.0.1")
    return lab.call(f"http://slow.test:{lab.answering(200).port}/")


@fault("the port refuses")
def _(lab):
    return lab.call(f"http://127.0.0.1:{servers.refused_port()}/")


@fault("no address of two answers")
def _(lab):
    port = lab.start(hole("127.0.0.9")).port
    lab.start(hole("127.0.0.10", port))
    lab.resolver["two.test"] = ["127.0.0.9", "127.0.0.10"]
    return lab.call(f"http://two.test:{port}/", timeout=IMPATIENT)


@fault("the first address of two is dead")
def _(lab):
    server = lab.answering(200)
    lab.start(hole("127.0.0.9", server.port))
    lab.resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    return lab.call(
        f"http://two.test:{server.port}/", happy_eyeballs=False, timeout=Timeout(SLOW, 5, None)
    )


@fault("the first address of two is dead, and never was")
def _(lab):
    server = lab.answering(200)
    lab.resolver["two.test"] = ["127.0.0.1"]
    client = lab.client(headers={"Connection": "close"})
    for _ in range(9):
        told(client, f"http://two.test:{server.port}/")
    lab.start(hole("127.0.0.9", server.port))
    lab.resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    return told(client, f"http://two.test:{server.port}/")


@fault("the address swallows everything")
def _(lab):
    host, port = lab.black_hole
    return lab.call(f"http://{host}:{port}/", timeout=IMPATIENT)


@fault("the address is one that the client must not use")
def _(lab):
    return lab.call("http://127.0.0.1:1/", addresses=AddressPolicy(deny={"loopback"}))


@fault("the CA bundle is not there")
def _(lab):
    client = lab.client()
    client.session.verify = "/etc/ssl/internal-ca.pem"
    return told(client, "https://127.0.0.1:1/")


# --- sending ------------------------------------------------------------------------------------------


@fault("the server does not take the upload")
def _(lab):
    return lab.call(lab.server(stay).url, "PUT", data=UPLOAD, timeout=IMPATIENT)


@fault("the server resets during the upload")
def _(lab):
    server = lab.server(lambda peer: peer.socket.recv(1000), reset)
    return lab.call(server.url, "PUT", data=UPLOAD)


@fault("the way for an upload is narrow")
def _(lab):
    server = lab.start(servers.serve(servers.echo))
    proxy = lab.start(Proxy(("127.0.0.1", server.port)))
    proxy.add(toxics.Bandwidth(15_000_000), "upstream")
    return lab.call(f"{proxy.url}/bytes/1", "PUT", data=UPLOAD)


@fault("the server resets before it has read the request")
def _(lab):
    return lab.call(lab.server(lambda peer: peer.socket.recv(1), reset).url)


# --- the answer ---------------------------------------------------------------------------------------


@fault("the server resets after the request")
def _(lab):
    return lab.call(lab.server(read, reset).url)


@fault("the server closes instead of answering")
def _(lab):
    return lab.call(lab.server(read).url)


@fault("the server does not answer")
def _(lab):
    return lab.call(lab.server(read, hold).url, timeout=IMPATIENT)


@fault("the server does not answer, and always did")
def _(lab):
    def handle(peer):
        for _ in range(9):
            read(peer)
            answer()(peer)
        hold(peer)

    client, server = lab.client(timeout=Timeout(5, 0.2, None)), lab.server(handle)
    return [told(client, server.url) for _ in range(10)][-1]


@fault("the first byte is late")
def _(lab):
    return lab.call(lab.answering(200, delay=SLOW).url)


@fault("the first byte is late, and always is")
def _(lab):
    client, server = lab.client(), lab.answering(200, delay=SLOW)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: told(client, server.url), range(8)))
    return told(client, server.url)


@fault("the first byte is late, and never was")
def _(lab):
    delays = [0.0] * 9 + [0.2]

    def app(_):
        threading.Event().wait(delays.pop(0))
        return 200, [], b""

    client, server = lab.client(), lab.start(servers.serve(app))
    return [told(client, server.url) for _ in range(10)][-1]


@fault("the head drips in")
def _(lab):
    end = send(b"Content-Length: 0\r\n\r\n")
    return lab.call(lab.server(read, send(HEAD), drip(b"X: y\r\n", 12), end, hold).url)


@fault("the head stalls")
def _(lab):
    return lab.call(lab.server(read, send(HEAD), hold).url, timeout=IMPATIENT)


@fault("the answer is no HTTP")
def _(lab):
    return lab.call(lab.server(read, send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")).url)


@fault("the answer ends in its head")
def _(lab):
    return lab.call(lab.server(read, send(HEAD + b"Content-Len")).url)


@fault("the head is too large")
def _(lab):
    return lab.call(lab.server(read, send(HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n")).url)


@fault("the body drips in")
def _(lab):
    start = send(HEAD + b"Content-Length: 12\r\n\r\n")
    return lab.call(lab.server(read, start, drip(b"x", 12), hold).url)


@fault("the body stalls")
def _(lab):
    half = send(HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * 50)
    return lab.call(lab.server(read, half, hold).url, timeout=IMPATIENT)


@fault("the body is cut off")
def _(lab):
    return lab.call(lab.server(read, send(HEAD + b"Content-Length: 100\r\n\r\nfive!")).url)


@fault("the server resets in the body")
def _(lab):
    half = send(HEAD + b"Content-Length: 100\r\n\r\nfive!")
    return lab.call(lab.server(read, half, pause(0.1), reset).url)


@fault("the body's chunks are wrong")
def _(lab):
    return lab.call(
        lab.server(read, send(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n")).url
    )


@fault("the body is not what its Content-Encoding says")
def _(lab):
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"
    return lab.call(lab.server(read, send(head)).url)


@fault("the body is too large")
def _(lab):
    return lab.call(lab.server(read, answer(200, b"x" * 10_000)).url, max_response_bytes=1000)
