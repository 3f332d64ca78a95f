"""Put a document into a file in one step: who reads it meets the old one or the new one, whole."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def replace_file(path: str | os.PathLike[str], body: bytes) -> None:
    """Let ``path`` hold ``body``. A link stays, and what it leads to is replaced.

    Mode and owner stay as they were; a new file is as the umask says. Raises ``OSError``; the old
    file is then untouched.
    """
    target = Path(os.path.realpath(path))
    old = _status(target)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            _dress(handle, old, target)
            os.fsync(handle)
        Path(name).replace(target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    _sync_directory(target.parent)


def _status(path: Path) -> os.stat_result | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        raise OSError(f"{path} is not a regular file")
    return status


def _dress(handle: int, old: os.stat_result | None, path: Path) -> None:
    if old is None:
        os.fchmod(handle, 0o666 & ~_umask())
        return
    try:
        os.fchown(handle, old.st_uid, old.st_gid)
    except PermissionError:
        _keep_readable(old, path)
    # After the owner, because a change of that takes bits away.
    os.fchmod(handle, stat.S_IMODE(old.st_mode))


def _keep_readable(old: os.stat_result, path: Path) -> None:
    """Refuse what would lock those out who read the old file by its owner or group."""
    if not old.st_mode & stat.S_IROTH:
        raise PermissionError(
            f"cannot give the new {path} to the owner and group of the old one; "
            "run this as that user"
        )


def _umask() -> int:
    # There is no other way to read it.
    umask = os.umask(0o022)
    os.umask(umask)
    return umask


def _sync_directory(directory: Path) -> None:
    # The document is in place already: a file system that cannot sync a directory is no failure.
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
