"""May a file be written: asked before there is anything to lose."""

from __future__ import annotations

import os
from pathlib import Path


def refusal(name: str) -> str | None:
    """Return why the file ``name`` cannot be written, if so; it is neither made nor changed.

    Of pipes and devices nothing is said: whoever reads a pipe would take the question for its end.
    """
    path = Path(name).resolve()
    try:
        if not path.exists():
            return _missing(path.parent)
        if path.is_file() or path.is_dir():
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
    except OSError as error:
        return error.strerror or str(error)
    return None


def _missing(directory: Path) -> str | None:
    if not directory.is_dir():
        return f"there is no directory {directory}"
    if not os.access(directory, os.W_OK | os.X_OK):
        return f"it is not there, and this user may not make it in {directory}"
    return None
