"""A provider in this process, which tells of its changes: OpenFeature itself, and nothing else."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

from openfeature import api
from pushing_provider import PushingProvider, start_event_threads

from sources.rig import Rig
from tracedclient.debug import OpenFeatureSource

if TYPE_CHECKING:
    from pathlib import Path

_numbers = itertools.count()


def value_of(body: bytes) -> object:
    """What a flag's value is when an operator enters ``body``: JSON, else a text."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


class OpenFeatureMemoryRig(Rig):
    name = "OpenFeature, in memory"
    pushed = True

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        start_event_threads()
        self._domain = f"memory-{next(_numbers)}"
        self._provider = PushingProvider()
        api.set_provider_and_wait(self._provider, self._domain)

    def source(self) -> OpenFeatureSource:
        return OpenFeatureSource(api.get_client(self._domain))

    def publish(self, body: bytes | None) -> None:
        if body is None:
            self._provider.remove()
        else:
            self._provider.set(value_of(body))

    def stop(self) -> None:
        self._provider.fail()

    def start(self) -> None:
        self._provider.recover()

    def close(self) -> None:
        """It is the garbage collector's."""
