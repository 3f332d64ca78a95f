"""A real Zipkin, which keeps spans in its memory."""

from __future__ import annotations

from sources.process import free_port

from backends.installed import Backend, eventually, installed
from backends.seen import of_zipkin


class Zipkin(Backend):
    def __init__(self, directory):
        port = free_port()
        listen = f"--armeria.ports[0].ip=127.0.0.1 --armeria.ports[0].port={port}".split()
        super().__init__(
            [
                "java",
                "-Xmx256m",
                "-jar",
                installed("zipkin-server-3.6.1-exec.jar"),
                *listen,
                "--armeria.ports[0].protocols[0]=http",
            ],
            port,
            directory,
        )

    def raw(self, trace_id, count):
        """The spans of a trace as its API gives them, once there are ``count``."""
        found = eventually(
            lambda: self.ask(f"/api/v2/trace/{trace_id}"), lambda got: len(got or ()) >= count
        )
        return sorted(found, key=lambda span: span["timestamp"])

    def spans(self, trace_id, count):
        return of_zipkin(self.raw(trace_id, count))

    def has(self, trace_id):
        return self.ask(f"/api/v2/trace/{trace_id}") is not None

    def links(self, until):
        """The dependency graph up to ``until``, in seconds: callCount by (parent, child)."""
        found = self.ask("/api/v2/dependencies", endTs=int(until * 1000))
        return {(one["parent"], one["child"]): one["callCount"] for one in found}
