"""Regular expressions that are compiled when they are first used.

Compiling all of ours costs as much as a twentieth of ``import requests``, and a process uses few:
most are for what is refused, redacted, or sent by somebody else.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


class _Compiled:
    """The methods of a compiled pattern, as attributes."""

    __slots__ = ("_flags", "_source", "fullmatch", "match", "search", "sub")

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._source = source
        self._flags = flags


class _Pattern(_Compiled):
    """One that is not compiled yet."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # Called while a slot is empty. Two threads may do so, and find the same.
        compiled = re.compile(self._source, self._flags)
        self.fullmatch, self.match = compiled.fullmatch, compiled.match
        self.search, self.sub = compiled.search, compiled.sub
        # Each look at an attribute costs more where a class has __getattr__.
        self.__class__ = _Compiled  # type: ignore[assignment]
        return getattr(compiled, name)


def pattern(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return ``re.compile(source, flags)``, in time."""
    return cast("re.Pattern[AnyStr]", _Pattern(source, flags))
