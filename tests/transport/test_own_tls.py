"""Who has TLS settings of his own keeps them: an adapter made as requests' documentation shows it."""

from __future__ import annotations

import ssl

import pytest
import requests
from requests.adapters import HTTPAdapter
from servers import client_pem, echo, mutual_context, serve

from tracedclient import TracedAdapter, TracedSession


def adapter(base, **settings):
    class Own(base):
        def init_poolmanager(self, *args, **kwargs):
            super().init_poolmanager(*args, **settings, **kwargs)

        def proxy_manager_for(self, proxy, **kwargs):
            return super().proxy_manager_for(proxy, **settings, **kwargs)

    return Own()


@pytest.fixture
def came_to(plain_session):
    """What came of a request with such settings: ours, and what requests makes of it."""

    def came_to(url, settings, **request):
        told = []
        with TracedSession() as session:
            for each, base in ((session, TracedAdapter), (plain_session, HTTPAdapter)):
                each.mount("https://", adapter(base, **settings))
                try:
                    told.append(each.get(url, timeout=5, **request).status_code)
                except requests.exceptions.SSLError as error:
                    told.append(str(error.args[0].reason).partition("(_ssl")[0])
        assert told[0] == told[1]
        return told[0]

    return came_to


@pytest.fixture
def old_server(start, server_context):
    """One that knows no TLS 1.3."""
    context = server_context("localhost")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return f"https://localhost:{start(serve(echo, tls=context)).port}/"


def test_version_that_is_asked_for_is_insisted_on(came_to, old_server, ca_file):
    """With ``ssl_minimum_version`` no older one is spoken."""
    newest = {"ssl_minimum_version": ssl.TLSVersion.TLSv1_3}
    assert "ALERT" in came_to(old_server, newest, verify=ca_file).upper()


def test_context_that_is_given_is_used(came_to, old_server, ca_file):
    """An ``SSLContext`` of one's own decides, and has the authorities of ``verify`` added."""
    context = ssl.create_default_context()
    assert came_to(old_server, {"ssl_context": context}, verify=ca_file) == 200
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    assert "ALERT" in came_to(old_server, {"ssl_context": context}, verify=ca_file).upper()


def test_context_with_authorities_of_its_own_is_used(came_to, old_server, ca_file):
    """Those that it has already need not be named again."""
    context = ssl.create_default_context(cafile=ca_file)
    assert came_to(old_server, {"ssl_context": context}) == 200


def test_client_is_known_beside_own_settings(came_to, start, ca, ca_file, tmp_path):
    """``cert`` is shown as ever."""
    server = start(serve(echo, tls=mutual_context(ca, "localhost")))
    newest = {"ssl_minimum_version": ssl.TLSVersion.TLSv1_3}
    cert = str(client_pem(ca, tmp_path))
    assert came_to(f"https://localhost:{server.port}/", newest, verify=ca_file, cert=cert) == 200


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_unverified_is_unverified_beside_own_settings(came_to, old_server):
    """``verify=False`` too."""
    oldest = {"ssl_minimum_version": ssl.TLSVersion.TLSv1_2}
    assert came_to(old_server, oldest, verify=False) == 200
    assert "CERTIFICATE_VERIFY_FAILED" in came_to(old_server, oldest)
