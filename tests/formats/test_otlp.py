"""What we write as OTLP's JSON, read by OpenTelemetry's own messages."""

from __future__ import annotations

import base64
import json

import pytest
from google.protobuf.json_format import ParseDict, ParseError
from logs_of_traces import KINDS
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tracedclient.cli.convert.otlp import to_otlp_json

IDS = {"traceId", "spanId", "parentSpanId"}


def parsed(trace):
    """The message of a line; unknown names and wrong types raise."""
    (line,) = to_otlp_json([trace])
    # OTLP has hex digits where protobuf's own mapping has base64 (OTLP 1.x, JSON Protobuf Encoding).
    return ParseDict(_with_base64(json.loads(line)), ExportTraceServiceRequest())


def _with_base64(node):
    if isinstance(node, list):
        return [_with_base64(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        name: base64.b64encode(bytes.fromhex(item)).decode() if name in IDS else _with_base64(item)
        for name, item in node.items()
    }


def spans(trace):
    return parsed(trace).resource_spans[0].scope_spans[0].spans


@pytest.mark.parametrize("kind", KINDS)
def test_the_messages_take_it(kind):
    """Every name and type of every kind of trace is OTLP's."""
    found = spans(KINDS[kind])
    assert {len(span.trace_id) for span in found} == {16}
    assert {len(span.span_id) for span in found} == {8}


def test_a_wrong_name_is_refused():
    """The messages refuse what they do not know: their yes means something."""
    with pytest.raises(ParseError):
        ParseDict({"resourceSpan": []}, ExportTraceServiceRequest())


def test_what_they_read():
    """Kinds, times, status, parents and attributes arrive as they were meant."""
    call, attempt, _, exchange, _ = spans(KINDS["retried"])
    assert (call.kind, exchange.kind) == (Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT)
    assert call.end_time_unix_nano - call.start_time_unix_nano == 118_400_000
    assert exchange.parent_span_id == attempt.span_id
    assert exchange.status.code == Status.STATUS_CODE_ERROR
    named = {pair.key: pair.value for pair in exchange.attributes}
    assert named["http.response.status_code"].int_value == 503
    assert named["tracedclient.phase.dns_ms"].double_value == 2.1
    assert [event.name for event in exchange.events] == ["exchange_start", "body_done"]
