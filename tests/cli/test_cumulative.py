import json

import pytest
import servers
from drawing import at, attempt, exchange, trace

import tracedclient
from tracedclient.cli.cumulative import POINTS, cumulative, to_json
from tracedclient.trace.model import DNS, Connect, Event
from tracedclient.trace.schema import from_json


def last_exchange(result):
    return result.attempts[-1].exchanges[-1]


def test_the_points_follow_each_other(ca_file, server_context, start):
    """Over TLS every point is reached, in order, the last when the exchange ended."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost")))
    result = tracedclient.stat(f"https://localhost:{server.port}/slow?ms=30", verify=ca_file)
    points = cumulative(last_exchange(result))
    assert tuple(points) == POINTS
    assert list(points.values()) == sorted(points.values())
    assert points["total"] == last_exchange(result).duration_ms
    assert points["starttransfer"] - points["pretransfer"] >= 30


def test_what_was_not_reached_is_absent():
    """Nothing was looked up, nothing connected, no answer came: no such points, and no 0."""
    refused = tracedclient.stat(f"http://127.0.0.1:{servers.refused_port()}/")
    assert set(cumulative(last_exchange(refused))) == {"total"}


def test_a_lookup_that_failed_is_not_reached():
    """A name without an address was not looked up with success."""
    failed = exchange(
        dns=DNS(host="gone.test", error="EAI_NONAME"),
        connects=(Connect(addr="10.0.0.1:80", ms=1.0, error="ECONNREFUSED"),),
        events=(Event(event="dns_done", at=at(1)), Event(event="connect_done", at=at(2))),
    )
    assert cumulative(failed) == {"total": 100.0}


def test_an_interim_answer_does_not_count_as_the_answer():
    """A 103 is no first byte of the answer: curl's starttransfer says that it is."""
    hinted = exchange(
        interim=(103,),
        events=(
            Event(event="got_first_response_byte", at=at(5)),
            Event(event="response_head", at=at(80)),
        ),
    )
    assert cumulative(hinted)["starttransfer"] == 80.0


def test_the_json_is_the_trace_and_more(echo_server):
    """The line can be read back as a trace; ``hops`` has each exchange, ``timings_ms`` the last."""
    url = f"{echo_server.url}/redirect-chain/2"
    result = tracedclient.stat(url, allow_redirects=True)
    line = to_json(result, slo={"pass": True})
    assert from_json(line) == result
    found = json.loads(line)
    assert [hop["status"] for hop in found["hops"]] == [302, 302, 200]
    assert [hop["url"][-1] for hop in found["hops"]] == ["2", "1", "0"]
    assert found["timings_ms"] == found["hops"][-1]["timings_ms"]
    assert found["slo"] == {"pass": True}


@pytest.mark.parametrize("attempts", [(), (attempt(1),)])
def test_a_call_without_a_hop_has_no_points(attempts):
    """A call that never got as far as an exchange still is one line of JSON."""
    found = json.loads(to_json(trace(*attempts)))
    assert (found["timings_ms"], found["hops"]) == ({}, [])
