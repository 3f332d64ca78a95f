"""For the tests of services that use this package; nothing else imports it.

retries_without_sleeping  retries at once, and fewer of them
RecordingSink             keeps the traces that a client tells
make_trace_result         a made-up trace, for code that takes one
faulty_server             a server on loopback that answers, or fails, by a script of steps
refused_url               an address at which nobody listens

They need nothing but this package: no test framework, no plugin.
"""

from tracedclient.testing.faults import (
    Answer,
    Close,
    Drip,
    Garbage,
    Hang,
    Reset,
    Step,
    Truncated,
)
from tracedclient.testing.made import make_trace_result
from tracedclient.testing.recording import RecordingSink
from tracedclient.testing.retries import retries_without_sleeping
from tracedclient.testing.server import FaultyServer, faulty_server, refused_url
from tracedclient.testing.wire import Request

__all__ = [
    "Answer",
    "Close",
    "Drip",
    "FaultyServer",
    "Garbage",
    "Hang",
    "RecordingSink",
    "Request",
    "Reset",
    "Step",
    "Truncated",
    "faulty_server",
    "make_trace_result",
    "refused_url",
    "retries_without_sleeping",
]
