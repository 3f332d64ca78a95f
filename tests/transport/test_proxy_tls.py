"""Which authorities vouch for an https proxy: those of each request, whatever came before it."""

from __future__ import annotations

import pytest
import requests
import trustme
from servers import echo, forward_proxy, serve

from tracedclient import TracedSession


@pytest.fixture(scope="module")
def other_file(tmp_path_factory):
    """An authority that nobody here has a certificate of."""
    path = tmp_path_factory.mktemp("ca") / "other.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture
def get(start, server_context):
    """``get(session, verify)`` through an https proxy that is always the same."""
    proxy = start(forward_proxy(tls=server_context("127.0.0.1")))
    server = start(serve(echo, tls=server_context("localhost")))
    url = f"https://localhost:{server.port}/"

    def get(session, verify):
        try:
            answer = session.get(url, verify=verify, proxies={"https": proxy.url}, timeout=5)
        except requests.exceptions.ProxyError as error:
            return "CERTIFICATE_VERIFY_FAILED" in str(error)
        return answer.status_code

    return get


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("order", ["good, other, good", "other, good", "none, other, good, none"])
def test_proxy_is_checked_against_the_authorities_of_each_request(
    get, ca_file, other_file, plain_session, order
):
    """A proxy that one request trusts is not trusted by the next that names other authorities, nor
    refused because one before it named others.
    """
    verify = {"good": ca_file, "other": other_file, "none": False}
    with TracedSession() as session:
        for each in (session, plain_session):
            came_to = [get(each, verify[word]) for word in order.split(", ")]
            assert came_to == [True if word == "other" else 200 for word in order.split(", ")]
