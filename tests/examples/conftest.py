"""The one command of the example, run as a user runs it; and somebody who takes its spans."""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "three_services"


class Run(NamedTuple):
    """What the command has left."""

    directory: Path
    status: int
    out: str
    err: str

    @property
    def ids(self):
        """The trace ids of its orders."""
        return re.findall(r"^\$ tracedclient logs ([0-9a-f]{32}) logs/\*$", self.out, re.MULTILINE)

    @property
    def pages(self):
        """What was shown of each order."""
        return re.split(r"^\$ tracedclient logs .*\n", self.out, flags=re.MULTILINE)[1:]


def command(directory, *more):
    return [sys.executable, str(EXAMPLE), "--directory", str(directory), *more]


def environment(**more):
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def run_example(directory, *arguments, **variables):
    """Run it to its end."""
    done = subprocess.run(
        command(directory, *arguments),
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Run(directory, done.returncode, done.stdout, done.stderr)


def processes_in(directory):
    """The commands of all processes that run in ``directory``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == directory.resolve():
                found.append((process / "cmdline").read_bytes())
        except OSError:  # it has just ended, or is somebody else's
            continue
    return found


def wait_until_none_in(directory):
    """Those that notice by themselves take a moment."""
    end = time.monotonic() + 20
    while processes_in(directory):
        assert time.monotonic() < end, processes_in(directory)
        time.sleep(0.02)


def wait_for_line(log, part):
    """Wait until a log has ``part``."""
    end = time.monotonic() + 20
    while part not in log.read_text():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)


@contextmanager
def example_until(shown, directory, *arguments, **variables):
    """The command, running, once it has printed ``shown``; in a terminal's group of its own."""
    with subprocess.Popen(
        command(directory, *arguments),
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            for line in running.stdout:
                if line.startswith("shop "):
                    running.shop = line.split()[1]
                if shown in line:
                    break
            else:
                raise AssertionError(f"it ended without {shown!r}")
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The command, run once, without any exporter."""
    return run_example(tmp_path_factory.mktemp("three"))


class Span(NamedTuple):
    """A span, as it was exported."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    kind: str
    name: str
    error: str


class Collector(ThreadingHTTPServer):
    """Takes spans by OTLP over HTTP."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Take)
        self.spans = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def take(self, body):
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            named = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [_span(span, named["service.name"]) for span in scope.spans]


def _span(span, service):
    tags = {attribute.key: attribute.value.string_value for attribute in span.attributes}
    return Span(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        service,
        Wire.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.name,
        tags.get("error.type", ""),
    )


class _Take(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.take(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def collector():
    """A running ``Collector``."""
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join(30)
