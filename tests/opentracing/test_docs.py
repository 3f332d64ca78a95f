"""docs/opentracing.md names what there is."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
import requests
import servers
from opentracing_serving import by_wsgi

from tracedclient.inbound.opentracing import OpenTracingServer
from tracedclient.instruments.opentracing import OpenTracing, hooks

PAGE = (Path(__file__).parent.parent.parent / "docs" / "opentracing.md").read_text()
NAMED = set(re.findall(r"`([^`]+)`", re.sub("```.*?```", "", PAGE, flags=re.DOTALL)))


@pytest.mark.parametrize("config", [OpenTracing, OpenTracingServer])
def test_every_option_is_documented(config):
    """Each argument has its row."""
    assert {field.name for field in dataclasses.fields(config)} - {"tracer"} - NAMED == set()


def test_every_event_is_documented():
    """Each event that the hooks log is in the page."""
    source = Path(hooks.__file__).read_text()
    logged = set(re.findall(r'log(?:_error)?\(\s*"(\w+)"', source))

    assert len(logged) == 14
    assert logged - NAMED == set()


def test_every_tag_and_field_is_documented(make_client, tracer, spans, start, resolver):
    """What calls that go well, that fail, and a request that is served leave on spans is in the page."""
    client = make_client()
    with pytest.raises(requests.ConnectionError):
        client.get("http://nobody.test/")
    resolver["one.test"] = ["127.0.0.1"]
    server = start(servers.serve(lambda _: (500, {}, b"no")))
    client.get(f"http://one.test:{server.port}/")
    by_wsgi(lambda _: (500, [b"no"]), tracer=tracer)

    tags = {name for span in spans.finished for name in span.tags}
    fields = {name for span in spans.finished for log in span.logs for name in log.key_values}
    assert {"error", "http.response_size", "net/http.reused"} <= tags
    assert {"addr", "host", "hostPort", "network", "phase", "error.object"} <= fields
    assert tags - NAMED == set()
    assert fields - {"event"} - NAMED == set()
