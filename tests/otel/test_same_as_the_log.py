"""Spans say what the log line says: the converter, which reads lines, writes the same attributes."""

from __future__ import annotations

import json

import pytest

from tracedclient.cli.convert.otlp import to_otlp_json

# Whose spans below `tls.` and `dns.` the converter keeps in its own form.
SHARED = ("http.", "url.full", "server.", "error.", "network.", "tracedclient.phase.")


def shared(attributes):
    return {key: value for key, value in attributes.items() if key.startswith(SHARED)}


def plain(attributes):
    kinds = {"intValue": int}
    return {
        item["key"]: next(kinds.get(kind, lambda v: v)(v) for kind, v in item["value"].items())
        for item in attributes
    }


@pytest.mark.parametrize("path", ["/orders?k=v", "/status/503", "/redirect?to=/landed"])
def test_converted_and_live_spans_agree(client, sdk, echo_server, path):
    """Names, kinds, statuses and the conventions' attributes are those of ``tracedclient convert``."""
    response = client.get(f"{echo_server.url}{path}")
    (line,) = to_otlp_json([response.trace])
    (scope,) = json.loads(line)["resourceSpans"][0]["scopeSpans"]
    converted = [s for s in scope["spans"] if s["name"] != "attempt"]
    codes = {"UNSET": 0, "ERROR": 2}

    assert [(s.name, shared(s.attributes)) for s in sdk.spans] == [
        (s["name"], shared(plain(s["attributes"]))) for s in converted
    ]
    assert [codes[s.status.status_code.name] for s in sdk.spans] == [
        s["status"].get("code", 0) for s in converted
    ]
