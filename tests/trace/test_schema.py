"""``TraceResult`` ⇄ one line of JSON."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_traces import AT, attempt, exchange, result

from tracedclient.trace.model import (
    CULPRITS,
    DNS,
    PHASES,
    SCHEMA,
    TLS,
    Attempt,
    Connect,
    Connection,
    ErrorInfo,
    Event,
    Exchange,
    Proxy,
    Timings,
    TraceResult,
)
from tracedclient.trace.schema import (
    UnknownSchema,
    from_json,
    json_schema,
    to_dict,
    to_json,
)

ms = st.floats(0, 1e9, allow_nan=False)
counts = st.integers(0, 2**53)
texts = st.text(max_size=20)
times = st.just(AT)


def maybe(strategy):
    return st.none() | strategy


def several(strategy):
    return st.lists(strategy, max_size=2).map(tuple)


errors = st.builds(ErrorInfo, type=texts, phase=texts, message=maybe(texts))
connections = st.builds(
    Connection,
    id=counts,
    reused=st.booleans(),
    age_ms=ms,
    uses=counts,
    idle_ms=maybe(ms),
    local=maybe(texts),
    remote=maybe(texts),
    returned=maybe(st.booleans()),
    not_returned=maybe(texts),
    stale_discarded=maybe(counts),
)
handshakes = st.builds(
    TLS, server_name=texts, alt_names=several(texts), resumed=maybe(st.booleans()), error=texts
)
exchanges = st.builds(
    Exchange,
    method=texts,
    url=texts,
    span_id=maybe(texts),
    started_at=times,
    duration_ms=ms,
    status=maybe(st.integers(100, 599)),
    error=maybe(errors),
    ms=st.builds(Timings, **dict.fromkeys(PHASES, maybe(ms)), unaccounted=ms),
    connection=maybe(connections),
    dns=maybe(st.builds(DNS, host=texts, addrs=several(texts), error=maybe(texts))),
    connects=several(st.builds(Connect, addr=texts, ms=ms, error=maybe(texts))),
    proxy=maybe(st.builds(Proxy, url=texts, target=maybe(texts), status=maybe(counts))),
    tls=several(handshakes),
    interim=several(st.integers(100, 199)),
    body_complete=maybe(st.booleans()),
    body_abandoned=maybe(st.booleans()),
    events=several(st.builds(Event, event=texts, at=times)),
)
attempts = st.builds(
    Attempt,
    number=counts,
    started_at=times,
    duration_ms=ms,
    status=maybe(st.integers(100, 599)),
    error=maybe(errors),
    retry=st.booleans(),
    reason=maybe(texts),
    sleep_ms=maybe(ms),
    exchanges=several(exchanges),
    exchanges_dropped=maybe(counts),
)
results = st.builds(
    TraceResult,
    schema=st.just(SCHEMA),
    trace_id=texts,
    parent_span_id=maybe(texts),
    outcome=texts,
    verdict_culprit=st.sampled_from(CULPRITS),
    verdict_sentence=maybe(texts),
    verdict_evidence=several(texts),
    url_full=maybe(texts),
    server_port=maybe(counts),
    started_at=times,
    duration_ms=ms,
    attempt_count=counts,
    retry_count=counts,
    redirect_count=counts,
    dns_ms=maybe(ms),
    unaccounted_ms=ms,
    conn_reused=maybe(st.booleans()),
    truncated=st.booleans(),
    attempts=several(attempts),
)


@given(results)
def test_what_is_written_can_be_read_again(trace):
    """Every trace survives the way through its line, which is one line of strict JSON."""
    line = to_json(trace)
    assert from_json(line) == trace
    assert from_json(line.decode()) == trace
    assert not set(b"\r\n") & set(line)
    assert json.loads(line) == json.loads(json.dumps(to_dict(trace)))


def test_line_starts_with_what_is_searched_for():
    """Schema and trace id open the line; the tree of attempts closes it."""
    keys = list(to_dict(result(attempt(exchange()))))
    assert keys[:2] == ["schema", "trace_id"]
    assert keys[-1] == "attempts"


def test_what_is_absent_is_not_written():
    """A fact that there is none of has no key: no null, no 0, no empty list."""
    line = json.loads(to_json(result(attempt(exchange()))))
    assert set(line["attempts"][0]) == {"number", "started_at", "duration_ms", "exchanges"}
    assert set(line["attempts"][0]["exchanges"][0]) == {
        "method",
        "url",
        "started_at",
        "duration_ms",
    }
    assert None not in line.values()


def test_keys_of_later_versions_and_of_the_logger_are_ignored():
    """Unknown keys, at any depth, do not keep a line from being read."""
    line = json.loads(to_json(result(attempt(exchange()))))
    line |= {"timestamp": AT, "level": "info", "user": {"id": 7}}
    line["attempts"][0] |= {"weather": "fine"}
    line["attempts"][0]["exchanges"][0] |= {"kernel": {"rtt_us": 40}}
    assert from_json(json.dumps(line)) == result(attempt(exchange()))


@pytest.mark.parametrize("schema", ["tracedclient.trace/2", "other", "", None])
def test_another_schema_is_refused_by_name(schema):
    """A line of another schema, or of none, is an error that names both."""
    line = json.loads(to_json(result())) | {"schema": schema}
    with pytest.raises(UnknownSchema, match=r"tracedclient\.trace/1.*not"):
        from_json(json.dumps(line))
    with pytest.raises(ValueError, match="schema"):
        from_json(b"{}")


@pytest.mark.parametrize("line", [b"", b"plain text", b'{"schema": ', b"\xff\xfe{}"])
def test_what_is_no_json_is_a_decode_error(line):
    """A line that is no JSON raises one class of error, whatever is wrong with it."""
    with pytest.raises(msgspec.DecodeError):
        from_json(line)


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"null",
        b"7",
        b'{"schema": 7}',
        b'{"schema": "tracedclient.trace/1"}',
        to_json(result()).replace(b"12.5", b'"12.5"'),
    ],
)
def test_a_record_of_the_wrong_shape_is_a_validation_error(line):
    """JSON that is no record of this schema raises one class of error."""
    with pytest.raises(msgspec.ValidationError):
        from_json(line)


def test_json_schema_describes_the_line():
    """The published schema has every key a line can have, and demands only those it always has."""
    schema = json_schema()
    record = schema["$defs"]["TraceResult"]
    assert set(record["properties"]) == set(TraceResult.__struct_fields__)
    smallest = json.loads(to_json(result()))
    assert set(record["required"]) <= set(smallest)
    assert json.loads(json.dumps(schema))["$ref"] == "#/$defs/TraceResult"
