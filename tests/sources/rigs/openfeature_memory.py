"""A provider in this process that pushes: what OpenFeature itself does, and nothing else."""

from __future__ import annotations

import json

from openfeature import api
from pushing_provider import KEY, PushingProvider

from tracedclient.debug.openfeature import OpenFeatureSource


class Rig:
    name = "openfeature-memory"
    pushed = True
    # Its flags live in the memory of one process: a child has a copy that nobody changes.
    shared = False

    def __init__(self, domain="memory"):
        self._domain = domain
        self.provider = PushingProvider()
        self.client = api.get_client(domain)
        api.set_provider(self.provider, domain)

    def source(self, **options):
        return OpenFeatureSource(self.client, KEY, **options)

    def publish(self, body):
        """Make ``body`` (bytes of JSON) the flag's value, or with ``None`` have no such flag."""
        if body is None:
            self.provider.remove()
        else:
            self.provider.set(json.loads(body))

    def stop(self):
        self.provider.fail()

    def start(self):
        self.provider.recover()

    def close(self):
        self.provider.recover()
