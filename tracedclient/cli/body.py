"""Save the body of an answer as it comes, so that it may be larger than the memory."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tracedclient.errors import DeadlineExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.transport import TracedResponse

STDOUT = "-"
_PIECE = 64 * 1024


def save(response: TracedResponse, path: str, deadline: float) -> None:
    """Write the body of a streamed ``response`` to ``path``, decoded, until it ends.

    ``deadline`` is on ``time.monotonic``. The response is closed afterwards, whatever happened, so
    that its trace is finished.

    Raises requests' exceptions for a body that breaks off or takes too long, and ``OSError`` when
    it cannot be written.
    """
    with response, _opened(path) as file:
        # Held by a name: the response must be closed first when this loop is left early, or the
        # trace would have the end of the generator for what went wrong.
        pieces = response.iter_content(_PIECE)
        for piece in pieces:
            file.write(piece)
            if time.monotonic() > deadline:
                raise DeadlineExceeded("the total timeout has passed, the body is not complete")


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with Path(path).open("wb") as file:
        yield file
