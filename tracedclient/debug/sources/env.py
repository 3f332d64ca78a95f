"""The flag in an environment variable: for a laptop, a test, or a config centre that is down."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from tracedclient.debug.source import (
    Absent,
    Document,
    Fetched,
    FlagSource,
    NotModified,
    SourceError,
)

if TYPE_CHECKING:
    import threading

_WORDS = {
    **dict.fromkeys(("1", "true", "on", "yes"), b"true"),
    **dict.fromkeys(("0", "false", "off", "no"), b"false"),
}


class EnvSource(FlagSource):
    """``1 true on yes`` / ``0 false off no`` in any case, or a JSON flag document.

    A word for "on" lasts 30 minutes, as a bare ``true`` does anywhere; a document says until when.
    Unset or empty: off. The variable is this process's ``os.environ``, which nobody outside of
    the process can change.

    Raises ``TypeError`` and ``ValueError`` when ``variable`` cannot be a variable's name.
    """

    immediate = True

    def __init__(self, variable: str = "TRACEDCLIENT_DEBUG") -> None:
        if not isinstance(variable, str):
            raise TypeError(f"variable must be a str, not {type(variable).__name__}")
        if not variable or "=" in variable or "\0" in variable:
            raise ValueError(f"variable must be the name of a variable, not {variable!r}")
        self.name = f"env:{variable}"
        self._variable = variable

    def fetch(
        self,
        previous: str | None,
        *,
        wait: float,  # noqa: ARG002 - the environment cannot notify
        cancel: threading.Event,  # noqa: ARG002
    ) -> Fetched:
        """Read the variable. Raises ``SourceError`` for a value that means nothing."""
        value = os.environ.get(self._variable, "").strip()
        if not value:
            return Absent()
        body = self._body(value)
        revision = hashlib.sha256(body).hexdigest()
        return NotModified() if revision == previous else Document(body, revision)

    def _body(self, value: str) -> bytes:
        if value.startswith("{"):
            return value.encode(errors="surrogateescape")
        try:
            return _WORDS[value.lower()]
        except KeyError:
            words = " ".join(_WORDS)
            raise SourceError(
                f"the value of {self._variable} is none of {words}, and not a JSON document"
            ) from None
