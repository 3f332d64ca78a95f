"""A plain handshake comes to the same as urllib3's; an unusual one is urllib3's."""

from __future__ import annotations

import hashlib
import ssl
from contextlib import closing, nullcontext

import pytest
import requests
import servers
import urllib3.connection
from urllib3.exceptions import InsecureRequestWarning, SSLError
from urllib3.util.ssl_match_hostname import CertificateError

from tracedclient import TracedSession
from tracedclient.httptrace import ClientTrace
from tracedclient.transport.connection import HTTPSConnection
from tracedclient.transport.handshake import is_plain
from tracedclient.transport.tls import TLSContexts


@pytest.fixture
def server(start, server_context):
    names = ("localhost", "127.0.0.1", "::1")
    return start(servers.serve(servers.echo, tls=server_context(*names)))


@pytest.fixture
def connection(server, ca_file):
    """``connection(host, assert_hostname=…)``: one to the server, with a context of its own."""

    def make(host="localhost", **settings):
        given = {
            "ssl_context": TLSContexts().context(ca_file, None),
            "cert_reqs": "CERT_REQUIRED",
            **settings,
        }
        return HTTPSConnection(host, server.port, **given)

    return make


def reached(conn):
    """Connect; return all that it comes to."""
    with closing(conn):
        conn.connect()
        sock = conn.sock
        return {
            "verified": (conn.is_verified, conn.proxy_is_verified),
            "agreed": (sock.version(), sock.cipher(), sock.selected_alpn_protocol()),
            "certificate": sock.getpeercert(),
            "name": sock.server_hostname,
            "timeout": sock.gettimeout(),
            "kind": type(sock),
            "mode": conn.ssl_context.verify_mode,
            "checks": conn.ssl_context.check_hostname,
            "proxied": conn.has_connected_to_proxy,
        }


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST", "localhost."])
def test_it_comes_to_the_same(connection, resolver, host):
    """Socket, certificate and what the connection says of itself are those of urllib3's way."""
    resolver[host] = ["127.0.0.1"]
    plain = connection(host, timeout=5)
    assert is_plain(plain)
    # The same name, which is plain to see here but not to the short way.
    theirs = connection(host, timeout=5, server_hostname=host.rstrip("."))
    assert not is_plain(theirs)

    assert reached(plain) == reached(theirs)


def test_a_certificate_for_another_name_is_refused_alike(start, server_context, ca_file):
    """The error of a name that the certificate lacks is the one that urllib3's way raises."""
    server = start(servers.serve(servers.echo, tls=server_context("other.test")))
    errors = []
    for settings in ({}, {"server_hostname": "localhost"}):
        context = TLSContexts().context(ca_file, None)
        conn = HTTPSConnection(
            "localhost", server.port, ssl_context=context, cert_reqs="CERT_REQUIRED", **settings
        )
        with closing(conn), pytest.raises(ssl.SSLCertVerificationError) as caught:
            conn.connect()
        errors.append((caught.type, str(caught.value), conn.is_verified))

    assert errors[0] == errors[1]
    assert "Hostname mismatch" in errors[0][1]


def test_every_unchecked_request_is_warned_of(server, ca_file):
    """Without a check each request is warned of, on a kept connection too; once there is a check
    again, that connection is used no more.
    """
    url = f"https://localhost:{server.port}/"
    with TracedSession() as session:
        session.trust_env = False
        for _ in range(2):
            with pytest.warns(InsecureRequestWarning):
                session.get(url, verify=False)
        with pytest.raises(requests.exceptions.SSLError):
            session.get(url)
        session.get(url, verify=ca_file)

    assert [request.connection for request in server.requests] == [1, 1, 3]


def test_an_address_of_ipv6_is_compared(start, server_context, ca_file):
    """An IPv6 address is found in the certificate, and one that is not there is refused."""
    context = TLSContexts().context(ca_file, None)
    for names, expected in (
        (("::1",), nullcontext()),
        (("127.0.0.1",), pytest.raises(ssl.SSLCertVerificationError, match="not valid for '::1'")),
    ):
        server = start(servers.serve(servers.echo, tls=server_context(*names), host="::1"))
        conn = HTTPSConnection("::1", server.port, ssl_context=context, cert_reqs="CERT_REQUIRED")
        assert is_plain(conn)
        with closing(conn), expected:
            conn.connect()


def test_an_unknown_authority_is_refused(server):
    """Without the authority in its bundle no connection comes to be."""
    context = TLSContexts().context(True, None)
    conn = HTTPSConnection("localhost", server.port, ssl_context=context, cert_reqs="CERT_REQUIRED")
    assert is_plain(conn)

    with closing(conn), pytest.raises(ssl.SSLCertVerificationError, match="unable to get local"):
        conn.connect()
    assert conn.is_verified is False


def test_a_mode_set_by_somebody_else_has_no_say(connection):
    """Whoever gets at the context cannot switch the check off, here as with urllib3."""
    conn = connection()
    conn.ssl_context.check_hostname = False
    conn.ssl_context.verify_mode = ssl.CERT_NONE
    conn.ssl_context.check_hostname = True  # sets the mode, too
    assert is_plain(conn)

    assert reached(conn)["verified"] == (True, None)


@pytest.mark.parametrize(
    "settings",
    [
        {"assert_hostname": "localhost"},
        {"assert_hostname": False},
        {"server_hostname": "localhost"},
        {"cert_reqs": "CERT_NONE"},
        {"cert_reqs": "CERT_OPTIONAL"},
        {"ssl_context": None},
        {"ssl_context": ssl.create_default_context()},
        {"ca_certs": "bundle.pem"},
        {"ca_cert_dir": "certificates"},
        {"ca_cert_data": "-----BEGIN"},
        {"cert_file": "own.pem"},
        {"key_file": "own.key"},
    ],
    ids="-".join,
)
def test_what_is_unusual_is_urllib3s(connection, settings):
    """Whatever urllib3 treats in its own way is left to it."""
    assert not is_plain(connection(**settings))


def test_a_context_that_checks_no_names_is_urllib3s(connection):
    """It then compares the names itself."""
    conn = connection()
    conn.ssl_context.check_hostname = False

    assert not is_plain(conn)


def test_an_address_in_brackets_is_urllib3s(connection):
    """Brackets and scopes it takes off before the certificate is compared."""
    bracketed = connection()
    bracketed.host = "[::1]"  # as http.client leaves it before 3.13

    assert not is_plain(bracketed)
    assert not is_plain(connection("fe80::1%lo"))


def test_a_tunnel_is_urllib3s(connection):
    """A tunnel has another host's certificate."""
    conn = connection()
    conn.set_tunnel("example.org", 443)

    assert not is_plain(conn)


def test_a_wrong_fingerprint_is_refused(connection):
    """A pinned certificate is compared, and a good one accepted."""
    conn = connection(assert_fingerprint="aa" * 32)
    with closing(conn), pytest.raises(SSLError, match="Fingerprints did not match"):
        conn.connect()
    with closing(connection()) as conn:
        conn.connect()
        shown = hashlib.sha256(conn.sock.getpeercert(True)).hexdigest()

    assert reached(connection(assert_fingerprint=shown))["verified"] == (True, None)


def test_a_replaced_function_is_called(connection, monkeypatch):
    """A tool that puts its own in place of urllib3's function sees every handshake."""
    shipped, seen = urllib3.connection.ssl_wrap_socket, []

    def tools(*args, **settings):
        seen.append(settings["server_hostname"])
        return shipped(*args, **settings)

    monkeypatch.setattr(urllib3.connection, "ssl_wrap_socket", tools)
    reached(connection())

    assert seen == ["localhost"]


@pytest.mark.parametrize("names", [("localhost",), ("other.test",)])
def test_names_are_compared_although_somebody_switches_that_off(
    start, server_context, ca_file, names
):
    """A context that stops comparing names in the middle of a handshake lets no wrong one through."""
    server = start(servers.serve(servers.echo, tls=server_context(*names)))
    context = TLSContexts().context(ca_file, None)

    class SwitchesOff(ClientTrace):
        """At the very moment when urllib3 would for a name of its own, in another thread."""

        def tls_handshake_start(self, info):
            context.check_hostname = False

    conn = HTTPSConnection("localhost", server.port, ssl_context=context, cert_reqs="CERT_REQUIRED")
    conn.trace = SwitchesOff()
    assert is_plain(conn)
    expected = nullcontext() if names == ("localhost",) else pytest.raises(CertificateError)

    with closing(conn), expected:
        conn.connect()


def test_no_protocol_is_offered_but_ours(start, server_context, ca_file, monkeypatch):
    """What urllib3 offered on the same context while it was told to speak HTTP/2 is gone again."""
    tls = server_context("localhost")
    tls.set_alpn_protocols(["h2", "http/1.1"])
    server = start(servers.ScriptedServer(lambda peer: peer.socket.recv(1), tls=tls))
    context, agreed = TLSContexts().context(ca_file, None), []
    for offered in (["h2"], ["http/1.1"]):
        monkeypatch.setattr("urllib3.util.ssl_.ALPN_PROTOCOLS", offered)
        conn = HTTPSConnection(
            "localhost", server.port, ssl_context=context, cert_reqs="CERT_REQUIRED"
        )
        with closing(conn):
            conn.connect()
            agreed.append((is_plain(conn), conn.sock.selected_alpn_protocol()))

    assert agreed == [(False, "h2"), (True, "http/1.1")]


def test_http2_is_urllib3s(connection, monkeypatch):
    """When urllib3 is told to offer HTTP/2, what is offered is its own."""
    monkeypatch.setattr("urllib3.util.ssl_.ALPN_PROTOCOLS", ["h2", "http/1.1"])

    assert not is_plain(connection())
