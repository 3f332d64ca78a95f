"""Log files made by hand: the lines that a service writes, and what runtimes put around them."""

from __future__ import annotations

import json

from tracedclient.cli.reading.compression import opened
from tracedclient.cli.reading.inputs import Input
from tracedclient.testing import make_trace_result
from tracedclient.trace.schema import to_json

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "0af7651916cd43dd8448eb211c80319c"
STAMP = "2026-11-20T22:27:58.200000Z"


def trace_line(trace=None, *, stamp=STAMP, **fields):
    """The line of ``trace``, or of a made-up one with these fields, as the formatter writes it."""
    made = trace or make_trace_result(**fields)
    head = f'{{"timestamp":"{stamp}","level":"info","event":"http.client.trace",'
    return head.encode() + to_json(made)[1:-1] + b',"logger":"tracedclient.trace"}\n'


def app_line(event="order.created", *, stamp="2026-11-20T22:27:57.998000Z", **fields):
    """A line of the application's own in JSON."""
    said = {"timestamp": stamp, "level": "info", "event": event, "trace_id": ID, **fields}
    return json.dumps(said).encode() + b"\n"


def docker(line, *, stream="stdout", time="2026-11-20T22:27:58.200000001Z"):
    """A line, or a piece of one, as Docker's json-file driver stores it."""
    entry = {"log": line.decode(), "stream": stream, "time": time}
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def cri(piece, tag="F", *, stream="stdout"):
    """A line, or a piece of one, as a CRI runtime stores it."""
    return b"2026-11-20T22:27:58.200000001Z %b %b %b\n" % (
        stream.encode(),
        tag.encode(),
        piece.rstrip(b"\n"),
    )


def source(tmp_path, data):
    """``data`` in a file, opened for reading."""
    path = tmp_path / "source"
    path.write_bytes(data)
    return opened(Input(str(path), seekable=True))
