"""Who takes part in the suite: one line each."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sources.rig import Rig


class Entry(NamedTuple):
    rig: str
    """``module:Class``, below this package; imported when a test needs it."""
    installed: bool = False
    """Needs a server, or a library, that ``tests/sources/install`` brings: `tox -e sources`."""
    server: bool = True
    """There is something that can be down."""
    shared: bool = True
    """Other processes see what is published."""

    @property
    def name(self) -> str:
        return self.rig.partition(":")[2].removesuffix("Rig")

    def load(self) -> type[Rig]:
        module, _, name = self.rig.partition(":")
        rig: type[Rig] = getattr(importlib.import_module(f"sources.rigs.{module}"), name)
        return rig


ENTRIES = (
    Entry("env:EnvRig", server=False, shared=False),
    Entry("file:FileRig"),
    Entry("file:ConfigMapRig"),
    Entry("http:HTTPRig"),
    Entry("http:LongPollRig"),
    Entry("nginx:NginxRig", installed=True),
    Entry("apollo:ApolloRig"),
    Entry("zookeeper:ZooKeeperRig", installed=True),
    Entry("openfeature_memory:OpenFeatureMemoryRig", shared=False),
    Entry("openfeature_flagd:FlagdFileRig", installed=True),
    # Its Python client keeps to itself that the server is down.
    Entry("openfeature_unleash:UnleashRig", installed=True, server=False),
    Entry("etcd:EtcdRig", installed=True),
    Entry("consul:FaithfulConsulRig"),
    Entry("consul:ConsulRig", installed=True),
)
