"""A process that has no file descriptor left."""

from __future__ import annotations

import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def none_left() -> Iterator[None]:
    """Inside of the ``with`` block, whatever opens a file or a socket gets EMFILE."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Those that are open stay so. Above the standard streams there is no number for another one.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
