"""A client with debug on, and the sink that it tells."""

from __future__ import annotations

import pytest

from tracedclient import HTTPClient
from tracedclient.testing import RecordingSink, retries_without_sleeping


@pytest.fixture
def sink():
    return RecordingSink()


@pytest.fixture
def client(sink):
    """A client with debug on whose retries take no time."""
    with HTTPClient(debug=True, sinks=[sink]) as client, retries_without_sleeping():
        yield client
