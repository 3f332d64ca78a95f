"""The trace id's way back to the caller: a header of the response."""

from __future__ import annotations

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

RESPONSE_HEADER = "X-Trace-Id"


def checked_response_header(name: str | None) -> str | None:
    """Return ``name`` if a header can be called so, or ``None`` for none.

    Raises ``ValueError`` otherwise.
    """
    if name is not None and not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise ValueError(f"response_header must be a header's name or None, not {name!r}")
    return name
