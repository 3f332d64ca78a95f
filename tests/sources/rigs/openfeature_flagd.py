"""flagd's own evaluator on a file that it watches: the provider's FILE mode, no server."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType

from tracedclient.debug.openfeature import OpenFeatureSource

KEY = "tracedclient"
DOMAIN = "flagd"
LOOK_MS = 50


class Rig:
    name = "openfeature-flagd"
    # The provider looks at its file's time stamp; what it finds, it pushes.
    pushed = True

    def __init__(self):
        self._directory = Path(tempfile.mkdtemp(prefix="flagd-"))
        self._path = self._directory / "flags.json"
        # Twenty tracebacks a second while the file is away.
        logging.getLogger("openfeature.contrib").setLevel(logging.CRITICAL)
        self.publish(None)

    def source(self):
        return OpenFeatureSource(self._client, KEY)

    def _client(self):
        api.set_provider(
            FlagdProvider(
                resolver_type=ResolverType.FILE,
                offline_flag_source_path=str(self._path),
                deadline_ms=LOOK_MS,
            ),
            DOMAIN,
        )
        return api.get_client(DOMAIN)

    def publish(self, body):
        """Make ``body`` (bytes of JSON) the flag's value, or with ``None`` have no such flag."""
        flags = {}
        if body is not None:
            variants = {"now": json.loads(body)}
            flags[KEY] = {"state": "ENABLED", "variants": variants, "defaultVariant": "now"}
        self._replace(json.dumps({"flags": flags}))

    def _replace(self, text):
        new = self._directory / "new"
        new.write_text(text)
        # The provider compares time stamps, which may be as coarse as the kernel's clock.
        if self._path.exists():
            last = self._path.stat().st_mtime_ns
            os.utime(new, ns=(last + 10**7, max(last + 10**7, new.stat().st_mtime_ns)))
        new.replace(self._path)

    def stop(self):
        self._path.rename(self._directory / "away")

    def start(self):
        self._replace((self._directory / "away").read_text())

    def close(self):
        api.get_client(DOMAIN).provider.shutdown()
        shutil.rmtree(self._directory)
