"""Clients that do not keep a test waiting, closed at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import tenacity

from tracedclient import HTTPClient, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracedclient import TraceResult

QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01), wait_throttled=tenacity.wait_fixed(0.01))
"""Three attempts, as by default."""


class Collected:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.results: list[TraceResult] = []

    def emit(self, result: TraceResult) -> None:
        self.results.append(result)


@pytest.fixture
def collected() -> Collected:
    return Collected()


@pytest.fixture
def make_client(collected: Collected) -> Iterator[Callable[..., HTTPClient]]:
    """``make_client(timeout=…)``: debug on, quick retries, ``collected`` as its only sink."""
    clients: list[HTTPClient] = []

    def make(**options: Any) -> HTTPClient:
        settings = {"debug": True, "retry": QUICK, "sinks": [collected], **options}
        clients.append(HTTPClient(**settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
