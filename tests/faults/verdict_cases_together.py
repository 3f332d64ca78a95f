"""Faults of docs/verdict.md that come together, and those that run into the total timeout."""

from __future__ import annotations

import threading

import servers
from dialing import hole

from faults.verdict_cases import QUICK, fault
from faults.verdict_cases_policy import SLEEPY
from faults.verdict_lab import HEAD, UPLOAD, Busy, answer, drip, hold, pause, read, send, stay, told
from tracedclient import Timeout

HASTY = Timeout(connect=5, read=5, total=0.45)
PART = 0.3
"""Seconds: two of them are too long."""

# --- the total timeout passes -----------------------------------------------------------------------


@fault("the total timeout passes in the lookup")
def _(lab):
    lab.resolver["silent.test"] = lab.late("127.0.0.1", seconds=1)
    return lab.call("http://silent.test/", timeout=HASTY)


@fault("the total timeout passes in the connect")
def _(lab):
    port = lab.start(hole("127.0.0.9")).port
    return lab.call(f"http://127.0.0.9:{port}/", timeout=HASTY)


@fault("the total timeout passes in CONNECT")
def _(lab):
    proxies = {"https": lab.server(hold).url}
    return lab.call("https://api.test/", proxies=proxies, timeout=HASTY, verify=lab.ca_file)


@fault("the total timeout passes in the TLS handshake")
def _(lab):
    url = f"https://127.0.0.1:{lab.server(hold).port}/"
    return lab.call(url, timeout=HASTY, verify=lab.ca_file)


@fault("the total timeout passes in the upload")
def _(lab):
    return lab.call(lab.server(stay).url, "PUT", data=UPLOAD, timeout=Timeout(5, 5, 0.9))


@fault("the total timeout passes in the wait")
def _(lab):
    return lab.call(lab.server(read, hold).url, timeout=HASTY)


@fault("the total timeout passes in a head that drips in")
def _(lab):
    return lab.call(lab.server(read, send(HEAD), drip(b"X: y\r\n", 40)).url, timeout=HASTY)


@fault("the total timeout passes in a body that drips in")
def _(lab):
    start = send(HEAD + b"Content-Length: 100\r\n\r\n")
    return lab.call(lab.server(read, start, drip(b"x", 100)).url, timeout=HASTY)


@fault("the total timeout passes on the second attempt")
def _(lab):
    return lab.call(lab.server(read, hold).url, retry=QUICK, timeout=Timeout(5, 0.3, 0.5))


@fault("the total timeout is eaten by several phases")
def _(lab):
    context = lab.server_context("slow.test")
    server = lab.server(pause(0.6), lambda peer: peer.start_tls(context), read, hold)
    lab.resolver["slow.test"] = lab.late("127.0.0.1", seconds=0.5)
    return lab.call(
        f"https://slow.test:{server.port}/", verify=lab.ca_file, timeout=Timeout(5, 5, 1.84)
    )


# --- two at once ------------------------------------------------------------------------------------


@fault("a slow lookup, and a 503")
def _(lab):
    lab.resolver["slow.test"] = lab.late("127.0.0.1")
    return lab.call(f"http://slow.test:{lab.answering(503).port}/")


@fault("a slow lookup, and a slow server")
def _(lab):
    lab.resolver["slow.test"] = lab.late("127.0.0.1", seconds=PART)
    return lab.call(f"http://slow.test:{lab.answering(200, delay=PART * 1.5).port}/")


@fault("a slow proxy, and a slow server")
def _(lab):
    context = lab.server_context("localhost")
    server = lab.server(read, pause(PART), answer(), tls=context)
    proxy = lab.start(servers.forward_proxy(connect_delay=PART * 1.5))
    return lab.call(
        f"https://localhost:{server.port}/", proxies={"https": proxy.url}, verify=lab.ca_file
    )


@fault("a stale connection, and a slow answer on the next")
def _(lab):
    def handle(peer):
        read(peer)
        if peer.number == 1:
            answer()(peer)
            read(peer)
        else:
            peer.sleep(0.6)
            answer()(peer)

    server, client = lab.server(handle), lab.client(retry=QUICK)
    told(client, server.url)
    return told(client, server.url)


@fault("a wait for the pool, and a slow server")
def _(lab):
    server = lab.answering(200, delay=PART * 2)
    client = lab.client(pool_maxsize=1, pool_block=True)
    held = client.get(server.url, trace_id="holder", stream=True)
    release = threading.Timer(PART, held.close)
    release.start()
    found = told(client, server.url)
    release.join()
    return found


@fault("a slow server, and a busy process")
def _(lab):
    delays = [0.0, 0.35]

    def app(_):
        threading.Event().wait(delays.pop(0))
        return 200, [], b""

    server, client = lab.start(servers.serve(app)), lab.client()
    told(client, server.url)
    return told(client, server.url, trace=Busy(0.6))


@fault("a 503, a sleep, and a slow answer")
def _(lab):
    left = [(503, 0.0), (200, 0.35)]

    def app(_):
        status, delay = left.pop(0)
        threading.Event().wait(delay)
        return status, [], b""

    return lab.call(lab.start(servers.serve(app)).url, retry=SLEEPY)


@fault("a timeout on each attempt, and sleeps between")
def _(lab):
    return lab.call(lab.server(read, hold).url, retry=SLEEPY, timeout=Timeout(5, 0.2, None))


@fault("four phases, each a bit slow")
def _(lab):
    context = lab.server_context("slow.test")
    server = lab.server(
        pause(0.39),
        lambda peer: peer.start_tls(context),
        read,
        pause(0.31),
        send(HEAD + b"Content-Length: 3\r\n\r\n"),
        drip(b"x", 3, 0.08),
        hold,
    )
    lab.resolver["slow.test"] = lab.late("127.0.0.1", seconds=0.18)
    return lab.call(f"https://slow.test:{server.port}/", verify=lab.ca_file)
