"""flagd's own evaluator on a file of flags that it watches: its provider's FILE mode, no server."""

from __future__ import annotations

import itertools
import json
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.exception import OpenFeatureError
from pushing_provider import start_event_threads

from sources.rig import Rig
from sources.rigs.openfeature_memory import value_of
from tracedclient.debug import OpenFeatureSource

if TYPE_CHECKING:
    from pathlib import Path

    from openfeature.client import OpenFeatureClient

KEY = "tracedclient"
LOOK_MS = 50
_TICK = 10_000_000
"""Nanoseconds between two time stamps: the provider tells versions of the file by them."""
_numbers = itertools.count()


class FlagdFileRig(Rig):
    name = "OpenFeature, flagd's file"
    # The provider looks at its file; what it finds there, it pushes.
    pushed = True

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        start_event_threads()
        # Twenty tracebacks a second while the file is away.
        logging.getLogger("openfeature.contrib").setLevel(logging.CRITICAL)
        self._domain = f"flagd-{next(_numbers)}"
        self._path = directory / "flags.json"
        self._changed = 0
        self.publish(None)

    def source(self) -> OpenFeatureSource:
        return OpenFeatureSource(self._client, KEY)

    def _client(self) -> OpenFeatureClient:
        provider = FlagdProvider(
            resolver_type=ResolverType.FILE,
            offline_flag_source_path=str(self._path),
            deadline_ms=LOOK_MS,
        )
        # Says that it is ready before it has asked for the file's time stamp: a version that comes in
        # between counts as read, and never is.
        with suppress(OpenFeatureError):
            api.set_provider_and_wait(provider, self._domain)
        return api.get_client(self._domain)

    def publish(self, body: bytes | None) -> None:
        flags = {}
        if body is not None:
            variants = {"now": value_of(body)}
            flags[KEY] = {"state": "ENABLED", "variants": variants, "defaultVariant": "now"}
        self._replace(json.dumps({"flags": flags}))

    def _replace(self, text: str) -> None:
        fresh = self.directory / "flags.fresh"
        fresh.write_text(text)
        self._changed = max(self._changed + _TICK, fresh.stat().st_mtime_ns)
        os.utime(fresh, ns=(self._changed, self._changed))
        fresh.replace(self._path)

    def stop(self) -> None:
        self._path.rename(self.directory / "flags.kept")

    def start(self) -> None:
        self._replace((self.directory / "flags.kept").read_text())

    def close(self) -> None:
        # Its thread goes on looking for ever otherwise.
        api.get_client(self._domain).provider.shutdown()
