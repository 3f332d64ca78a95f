"""A file: replaced by rename, as editors and configuration tools do, or mounted by the kubelet."""

from __future__ import annotations

import itertools
import os
import shutil
from typing import TYPE_CHECKING

from sources.rig import Rig
from tracedclient.debug import FileSource

if TYPE_CHECKING:
    from pathlib import Path


class FileRig(Rig):
    name = "file"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.path = directory / "flag.json"

    def source(self) -> FileSource:
        return FileSource(self.path)

    def publish(self, body: bytes | None) -> None:
        if body is None:
            self.path.unlink(missing_ok=True)
            return
        fresh = self.directory / "flag.json~"
        fresh.write_bytes(body)
        fresh.replace(self.path)

    def stop(self) -> None:
        # Unreadable for root as well, like a file system that has gone.
        if self.path.exists():
            self.path.rename(self.directory / "kept")
        self.path.symlink_to(self.path)

    def start(self) -> None:
        self.path.unlink()
        kept = self.directory / "kept"
        if kept.exists():
            kept.rename(self.path)

    def close(self) -> None:
        """The directory is the test's."""


class ConfigMapRig(Rig):
    """What the kubelet's AtomicWriter makes of a volume: links through ``..data``, swapped whole."""

    name = "ConfigMap"

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._numbers = itertools.count()
        self._data = directory / "..data"
        self._swap({})
        self.path = directory / "flag.json"

    def source(self) -> FileSource:
        return FileSource(self.path)

    def publish(self, body: bytes | None) -> None:
        if body is not None:
            self._swap({"flag.json": body})
            if not self.path.is_symlink():
                self.path.symlink_to("..data/flag.json")
        else:
            self._swap({})
            self.path.unlink(missing_ok=True)

    def _swap(self, files: dict[str, bytes]) -> None:
        before = self._data.resolve() if self._data.is_symlink() else None
        fresh = self.directory / f"..2026_11_21_{next(self._numbers):09d}"
        fresh.mkdir()
        for name, body in files.items():
            (fresh / name).write_bytes(body)
        link = self.directory / "..data_tmp"
        link.symlink_to(fresh.name)
        link.replace(self._data)
        if before is not None:
            shutil.rmtree(before)

    def stop(self) -> None:
        self._data.rename(self.directory / "..kept")
        self._data.symlink_to("..data")
        if not self.path.is_symlink():
            self.path.symlink_to("..data/flag.json")

    def start(self) -> None:
        os.replace(self.directory / "..kept", self._data)  # noqa: PTH105 - of a link, not its target
        if not self.path.exists():
            self.path.unlink()

    def close(self) -> None:
        """The directory is the test's."""
