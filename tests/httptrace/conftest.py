"""Sessions, clients and threads for the scenarios, closed at their end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import tenacity

from httptrace.watching import Awaited
from tracedclient import HTTPClient, RetryPolicy, TracedSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01))


@pytest.fixture
def journal() -> Awaited:
    """A trace that writes down every call."""
    return Awaited()


@pytest.fixture
def make_session(start: Callable[[Any], Any]) -> Callable[..., TracedSession]:
    """``make_session(pool_maxsize=1, …)``: a session that is closed when the test ends."""
    return lambda **options: start(TracedSession(**options))


@pytest.fixture
def session(make_session: Callable[..., TracedSession]) -> TracedSession:
    """A session as it is made without arguments."""
    return make_session()


@pytest.fixture
def trusting(make_session: Callable[..., TracedSession], ca_file: str) -> TracedSession:
    """A session that trusts the tests' certificate authority."""
    made = make_session()
    made.verify = ca_file
    return made


@pytest.fixture
def client(start: Callable[[Any], Any]) -> HTTPClient:
    """A client that tries three times without keeping a test waiting, and logs nothing."""
    made: HTTPClient = start(HTTPClient(retry=QUICK, sinks=[]))
    return made


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Ten threads to send requests from."""
    with ThreadPoolExecutor(10) as executor:
        yield executor
