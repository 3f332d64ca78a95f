"""The log that the engines are asked about."""

from __future__ import annotations

import pytest
from logs_of_traces import own_line

from engines.calls import ID, calls


@pytest.fixture(scope="session")
def log(tmp_path_factory):
    """A directory with ``app.log``, which has other lines too, and ``traces.jsonl``, without."""
    directory = tmp_path_factory.mktemp("log")
    traces = list(calls())
    others = [own_line(trace_id=ID), "Traceback (most recent call last):", "{broken", ""]
    directory.joinpath("traces.jsonl").write_text("\n".join(traces) + "\n")
    directory.joinpath("app.log").write_text("\n".join([*others, *traces, *others]) + "\n")
    return directory
