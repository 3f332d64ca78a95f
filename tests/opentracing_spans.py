"""The spans that OpenTracing's mock tracer has got, as dictionaries."""

from __future__ import annotations


class Spans:
    """What a mock tracer has got."""

    def __init__(self, tracer):
        self.tracer = tracer

    @property
    def finished(self):
        """Finished spans, in the order in which they began."""
        return sorted(self.tracer.finished_spans(), key=lambda span: span.context.span_id)

    def named(self, name):
        return [span for span in self.finished if span.operation_name == name]

    @property
    def requests(self):
        """Those of requests on the wire."""
        return [s for s in self.finished if s.tags.get("span.kind") == "client"]

    def whole(self):
        """Each span as a dictionary, its parent by its name."""
        names = {span.context.span_id: span.operation_name for span in self.finished}
        return [
            {
                "name": span.operation_name,
                "parent": names.get(span.parent_id),
                "tags": span.tags,
                "logs": [log.key_values for log in span.logs],
            }
            for span in self.finished
        ]


def events(span):
    """The names of a span's events, in order."""
    return [log.key_values["event"] for log in span.logs]
