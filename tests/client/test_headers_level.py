"""A rule of the level ``headers``: names are shown, secrets never, whatever the document says."""

from __future__ import annotations

import json
import time

import pytest
import requests
import servers

from tracedclient.debug import FileSource
from tracedclient.trace.schema import to_json

CANARY = "c4n4ry"


@pytest.fixture
def client(tmp_path, make_client):
    """A client whose flag asks for all that a document may ask for."""
    path = tmp_path / "flag.json"
    rules = [{"id": "r", "level": "headers", "emit": "all", "percent": 100}]
    path.write_text(
        json.dumps({"schema": 1, "enabled": True, "until": time.time() + 60, "rules": rules})
    )
    return make_client(debug=FileSource(path))


def test_headers_are_in_each_exchange(client, collected, echo_server):
    """Names of what went and what came are there, and the values that hold no secret."""
    client.get(
        f"{echo_server.url}/redirect-chain/1", headers={"Accept": "text/plain", "X-Odd": "1"}
    )
    first, second = collected.one.attempts[0].exchanges
    for exchange in (first, second):
        assert exchange.request_headers["accept"] == "text/plain"
        assert exchange.request_headers["x-odd"] == "REDACTED"
    assert first.response_headers["location"] == "REDACTED"
    assert second.response_headers["content-type"] == "application/json"


def test_no_document_shows_a_secret(client, collected, echo_server):
    """Under the widest document there is, no credential, cookie, query value or body is shown."""
    client.post(
        f"{echo_server.url}/set-cookie?session={CANARY}",
        data=f"password={CANARY}",
        headers={
            "Authorization": f"Bearer {CANARY}",
            "Proxy-Authorization": CANARY,
            "Cookie": f"s={CANARY}",
            "X-Api-Key": CANARY,
            "Referer": f"https://a/?t={CANARY}",
            "User-Agent": f"svc token={CANARY}",
        },
    )
    line = to_json(collected.one).decode()
    assert CANARY not in line
    assert '"authorization":"REDACTED"' in line
    assert '"set-cookie":"REDACTED"' in line


def test_parameters_of_media_types_are_shown(client, collected, echo_server):
    """What follows a semicolon is no secret in a header that says how a message is carried."""
    accepted = "text/html;level=1, */*;q=0.8, application/vnd.x+json;v=2"
    client.get(echo_server.url, headers={"Accept": accepted})
    headers = collected.one.attempts[0].exchanges[0].request_headers
    assert headers["accept"] == accepted


def test_level_timing_has_no_headers(make_client, collected, echo_server):
    """Without that level no header is in the trace."""
    make_client().get(echo_server.url)
    (exchange,) = collected.one.attempts[0].exchanges
    assert (exchange.request_headers, exchange.response_headers) == (None, None)


def test_many_and_long_headers_are_bounded(client, collected, echo_server):
    """A hundred headers of a kilobyte each leave fifty names, and a line that is not too long."""
    many = {f"X-{n:03}": "v" * 1000 for n in range(100)}
    client.get(echo_server.url, headers={"User-Agent": "u" * 5000, **many})
    headers = collected.one.attempts[0].exchanges[0].request_headers
    assert len(headers) == 50
    assert max(map(len, headers.values())) <= 200


def test_failed_call_has_the_headers_it_sent(client, collected, start):
    """A call without an answer shows what was sent, and no headers that never came."""
    server = start(servers.ScriptedServer(lambda peer: peer.read_head() and None))
    with pytest.raises(requests.ConnectionError):
        client.post(f"{server.url}/x", data=b"abc")
    exchange = collected.one.attempts[-1].exchanges[-1]
    assert exchange.request_headers["content-length"] == "3"
    assert exchange.response_headers is None
