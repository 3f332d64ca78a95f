"""A real OpenTelemetry Collector: OTLP/HTTP in, a file and, where wanted, a backend out."""

from __future__ import annotations

import json

from sources.process import free_port

from backends.installed import Backend, eventually, installed
from backends.seen import of_otlp


class Collector(Backend):
    """``forward_to`` is the URL of a backend that takes OTLP/HTTP too."""

    def __init__(self, directory, forward_to=None):
        port = free_port()
        self._file = directory / "spans.jsonl"
        exporters = {"file": {"path": str(self._file), "flush_interval": "50ms"}}
        if forward_to is not None:
            exporters["otlphttp"] = {"endpoint": forward_to, "sending_queue": {"enabled": False}}
        pipeline = {"receivers": ["otlp"], "processors": ["batch"], "exporters": [*exporters]}
        settings = {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
            "processors": {"batch": {"timeout": "20ms"}},
            "exporters": exporters,
            "service": {
                "pipelines": {"traces": pipeline},
                "telemetry": {"metrics": {"level": "none"}},
            },
        }
        # YAML is a superset of JSON.
        file = directory / "collector.yaml"
        file.write_text(json.dumps(settings))
        super().__init__([installed("otelcol-0.160.0"), "--config", str(file)], port, directory)

    def everything(self):
        """All spans that it has written."""
        lines = self._file.read_text().splitlines(keepends=True) if self._file.exists() else ()
        return of_otlp([json.loads(line) for line in lines if line.endswith("\n")])

    def spans(self, trace_id, count):
        """The spans of a trace, once there are ``count``."""

        def ask():
            return [span for span in self.everything() if span.trace == trace_id]

        return eventually(ask, lambda got: len(got) >= count)
