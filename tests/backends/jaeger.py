"""A real Jaeger, version 2: OTLP and Zipkin's JSON in, its query API out; spans in its memory."""

from __future__ import annotations

import json

from sources.process import free_port

from backends.installed import Backend, eventually, installed
from backends.seen import of_otlp


class Jaeger(Backend):
    """``url`` takes OTLP, ``zipkin_url`` Zipkin's JSON, ``query_url`` questions."""

    def __init__(self, directory):
        otlp, zipkin, query, grpc = (free_port() for _ in range(4))
        self.zipkin_url, self.query_url = f"http://127.0.0.1:{zipkin}", f"http://127.0.0.1:{query}"
        pipeline = {"receivers": ["otlp", "zipkin"], "exporters": ["jaeger_storage_exporter"]}
        settings = {
            "receivers": {
                "otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{otlp}"}}},
                "zipkin": {"endpoint": f"127.0.0.1:{zipkin}"},
            },
            "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
            "extensions": {
                "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 1000}}}},
                "jaeger_query": {
                    "storage": {"traces": "memory"},
                    "http": {"endpoint": f"127.0.0.1:{query}"},
                    "grpc": {"endpoint": f"127.0.0.1:{grpc}"},
                },
            },
            "service": {
                "extensions": ["jaeger_storage", "jaeger_query"],
                "pipelines": {"traces": pipeline},
                "telemetry": {"metrics": {"level": "none"}},
            },
        }
        # YAML is a superset of JSON.
        file = directory / "jaeger.yaml"
        file.write_text(json.dumps(settings))
        super().__init__([installed("jaeger-1.76.0"), "--config", str(file)], otlp, directory)

    def spans(self, trace_id, count):
        """The spans of a trace, once there are ``count``."""

        def ask():
            found = self.ask(f"/api/v3/traces/{trace_id}", self.query_url)
            return [_as_sent(span) for span in of_otlp([found["result"]])] if found else []

        return eventually(ask, lambda got: len(got) >= count)


def _as_sent(span):
    """``span`` without what Jaeger thinks of it, such as of clocks that differ."""
    own = {name: value for name, value in span.attributes.items() if name[0] != "@"}
    return span._replace(attributes=own)
