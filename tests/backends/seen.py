"""Spans as a backend gave them back, in one form whichever it was."""

from __future__ import annotations

import base64
from typing import NamedTuple

_KINDS = {0: "", 1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_ERROR = 2
_STATUS = ("http.response.status_code", "http.status_code")


class Seen(NamedTuple):
    trace: str
    id: str
    parent: str | None
    service: str
    kind: str
    name: str
    start: int
    """Microseconds."""
    error: bool
    attributes: dict
    events: tuple
    """(microseconds, name), in this order: backends keep none among those of one moment."""

    @property
    def told(self):
        """What tells this span from its siblings, in one line."""
        known = [self.attributes[name] for name in _STATUS if name in self.attributes]
        resend = self.attributes.get("http.request.resend_count")
        words = (
            self.service,
            self.kind,
            self.name,
            str(known[0]) if known else "",
            resend and f"resend {resend}",
            self.error and "error",
        )
        return " ".join(word for word in words if word)


def tree(spans):
    """``spans`` below their parents, in the order of their start: ``(told, [children])``."""
    ids = {span.id for span in spans}
    assert len(ids) == len(spans), "a span is there twice"

    def below(parent):
        return [(span.told, below(span.id)) for span in ordered if span.parent == parent]

    ordered = sorted(spans, key=lambda span: span.start)
    roots = [span for span in ordered if span.parent not in ids]
    return [(root.told, below(root.id)) for root in roots]


def of_otlp(documents):
    """The spans of OTLP's JSON: ``TracesData`` or ``ExportTraceServiceRequest``."""
    return [
        _of_otlp(span, _named(resource["resource"]["attributes"])["service.name"])
        for document in documents
        for resource in document["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def _of_otlp(span, service):
    return Seen(
        trace=_hex(span["traceId"], 32),
        id=_hex(span["spanId"], 16),
        parent=_hex(span["parentSpanId"], 16) if span.get("parentSpanId") else None,
        service=service,
        kind=_KINDS[span.get("kind", 0)],
        name=span["name"],
        start=int(span["startTimeUnixNano"]) // 1000,
        error=span.get("status", {}).get("code") == _ERROR,
        attributes=_named(span.get("attributes", ())),
        events=tuple(
            sorted((int(e["timeUnixNano"]) // 1000, e["name"]) for e in span.get("events", ()))
        ),
    )


def _hex(text, digits):
    # OTLP's own JSON has hexadecimal digits, that of a gRPC gateway base64.
    return text if len(text) == digits else base64.b64decode(text).hex()


def _named(attributes):
    return {pair["key"]: _value(pair["value"]) for pair in attributes}


def _value(value):
    ((kind, plain),) = value.items()
    if kind == "arrayValue":
        return [_value(item) for item in plain.get("values", ())]
    return int(plain) if kind == "intValue" else plain


def of_zipkin(spans):
    """The spans of Zipkin's JSON, version 2. A server's that shares its client's id is below it,
    and above those of its children that have its endpoint: so does Zipkin's ``SpanNode``.
    """
    servers = [(span["id"], span["localEndpoint"]) for span in spans if span.get("shared")]
    return [_of_zipkin(span, servers) for span in spans]


def _of_zipkin(span, servers):
    endpoint, parent = span["localEndpoint"], span.get("parentId")
    is_shared = span.get("shared", False)
    if is_shared:
        parent = span["id"]
    elif (parent, endpoint) in servers:
        parent = _server(parent)
    return Seen(
        trace=span["traceId"],
        id=_server(span["id"]) if is_shared else span["id"],
        parent=parent,
        service=endpoint.get("serviceName", ""),
        kind=span.get("kind", ""),
        name=span.get("name", ""),
        start=span["timestamp"],
        error="error" in span.get("tags", {}),
        attributes=span.get("tags", {}),
        events=tuple(sorted((n["timestamp"], n["value"]) for n in span.get("annotations", ()))),
    )


def _server(span_id):
    return f"{span_id} at the server"
