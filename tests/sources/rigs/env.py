"""A variable of this process's environment: no server, and no other process sees it."""

from __future__ import annotations

import os

from sources.rig import Rig
from tracedclient.debug import EnvSource

VARIABLE = "TRACEDCLIENT_TEST_RIG"


class EnvRig(Rig):
    name = "env"

    def source(self) -> EnvSource:
        return EnvSource(VARIABLE)

    def publish(self, body: bytes | None) -> None:
        if body is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environb[VARIABLE.encode()] = body

    def stop(self) -> None:
        raise NotImplementedError("an environment cannot be down")

    def start(self) -> None:
        raise NotImplementedError("an environment cannot be down")

    def close(self) -> None:
        os.environ.pop(VARIABLE, None)
