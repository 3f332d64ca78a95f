"""The backends themselves, one of each for a file of tests. Nothing is skipped when one is missing."""

from __future__ import annotations

import pytest

from backends.collector import Collector
from backends.jaeger import Jaeger
from backends.zipkin import Zipkin


@pytest.fixture(scope="module")
def jaeger(tmp_path_factory):
    """A running Jaeger."""
    with Jaeger(tmp_path_factory.mktemp("jaeger")) as server:
        yield server


@pytest.fixture(scope="module")
def collector(tmp_path_factory, jaeger):
    """A running collector, which writes a file and hands everything on to Jaeger."""
    with Collector(tmp_path_factory.mktemp("collector"), forward_to=jaeger.url) as server:
        yield server


@pytest.fixture(scope="module")
def zipkin(tmp_path_factory):
    """A running Zipkin."""
    with Zipkin(tmp_path_factory.mktemp("zipkin")) as server:
        yield server
