"""Faults of docs/verdict.md on the way to a server that is there: TLS, and the proxy."""

from __future__ import annotations

import ssl
import warnings

import servers

from faults.verdict_lab import IMPATIENT, SLOW, answer, fault, hold, pause, read, reset, send

# --- TLS --------------------------------------------------------------------------------------------


def _https(lab, context, host="localhost", **options):
    server = lab.server(read, answer(), tls=context)
    return lab.call(f"https://{host}:{server.port}/", **{"verify": lab.ca_file, **options})


@fault("the certificate has expired")
def _(lab):
    return _https(lab, lab.expired_context("localhost"))


@fault("nobody known has signed the certificate")
def _(lab):
    return _https(lab, lab.server_context("localhost"), verify=True)


@fault("the certificate is another host's")
def _(lab):
    return _https(lab, lab.server_context("other.test"))


@fault("the server's TLS is too old")
def _(lab):
    context = lab.server_context("localhost")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return _https(lab, context)


@fault("the port speaks no TLS")
def _(lab):
    server = lab.server(send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), hold)
    return lab.call(f"https://127.0.0.1:{server.port}/")


@fault("the TLS handshake stalls")
def _(lab):
    return lab.call(f"https://127.0.0.1:{lab.server(hold).port}/", timeout=IMPATIENT)


@fault("the TLS handshake is slow")
def _(lab):
    context = lab.server_context("localhost")
    server = lab.server(pause(), lambda peer: peer.start_tls(context), read, answer())
    return lab.call(f"https://localhost:{server.port}/", verify=lab.ca_file)


@fault("the server resets in the TLS handshake")
def _(lab):
    server = lab.server(lambda peer: peer.socket.recv(1), reset)
    return lab.call(f"https://127.0.0.1:{server.port}/")


# --- the proxy --------------------------------------------------------------------------------------


@fault("nobody listens at the proxy's port")
def _(lab):
    proxy = f"http://127.0.0.1:{servers.refused_port()}"
    return lab.call("https://api.test/", proxies={"https": proxy})


@fault("the proxy wants credentials for a tunnel")
def _(lab):
    proxy = lab.start(servers.forward_proxy(credentials=("user", "password")))
    return lab.call("https://api.test/", proxies={"https": proxy.url})


@fault("the proxy refuses the tunnel")
def _(lab):
    proxy = lab.start(servers.forward_proxy(refuse_connect=502))
    return lab.call("https://api.test/", proxies={"https": proxy.url})


@fault("the proxy is slow to open the tunnel")
def _(lab):
    server = lab.server(read, answer(), tls=lab.server_context("localhost"))
    proxy = lab.start(servers.forward_proxy(connect_delay=SLOW))
    return lab.call(
        f"https://localhost:{server.port}/", proxies={"https": proxy.url}, verify=lab.ca_file
    )


@fault("the proxy does not answer CONNECT")
def _(lab):
    proxy = lab.server(hold)
    return lab.call("https://api.test/", proxies={"https": proxy.url}, timeout=IMPATIENT)


@fault("the proxy wants credentials for plain http")
def _(lab):
    proxy = lab.start(servers.forward_proxy(credentials=("user", "password")))
    return lab.call("http://api.test/", proxies={"http": proxy.url})


@fault("502 through a proxy for plain http")
def _(lab):
    proxy = lab.start(servers.forward_proxy(hosts={"api.test": "127.0.0.1"}))
    return lab.call(f"http://api.test:{servers.refused_port()}/", proxies={"http": proxy.url})


@fault("a slow answer through a proxy for plain http")
def _(lab):
    proxy = lab.start(servers.forward_proxy())
    return lab.call(lab.answering(200, delay=SLOW).url, proxies={"http": proxy.url})
