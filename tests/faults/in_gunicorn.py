"""What ``test_gunicorn`` has gunicorn serve. With ``--preload`` this module is imported, and its
client used, in the master; the workers are forked from there.
"""

from __future__ import annotations

import json
import os

from tracedclient import HTTPClient, Timeout
from tracedclient.debug import FileSource, FlagUpdater
from tracedclient.testing import RecordingSink

UPSTREAM = os.environ["UPSTREAM"]

sink = RecordingSink()
client = HTTPClient(
    debug=FlagUpdater(FileSource(os.environ["FLAG"]), interval=0.05, settle=0),
    sinks=[sink],
    timeout=Timeout(5, 5, 60),
)
client.get(f"{UPSTREAM}/master")


def application(environ, start_response):
    """Ask upstream the same path; say which process it was, whether it traced, and the answer."""
    answer = client.get(f"{UPSTREAM}{environ['PATH_INFO']}")
    said = {
        "pid": os.getpid(),
        "traced": answer.trace is not None,
        "upstream": answer.text,
        "status": answer.status_code,
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]
