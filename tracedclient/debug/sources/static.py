"""A flag decided in the code: no document, no thread, no end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.debug.source import Document, FlagSource

if TYPE_CHECKING:
    import threading


class StaticFlag(FlagSource):
    """Always on, or always off.

    Raises ``TypeError`` when ``on`` is not a bool.
    """

    name = "static"
    immediate = True
    constant = True

    def __init__(self, on: bool) -> None:
        if not isinstance(on, bool):
            raise TypeError(f"on must be True or False, not {on!r}")
        self.on = on

    def fetch(self, previous: str | None, *, wait: float, cancel: threading.Event) -> Document:  # noqa: ARG002
        """Answer at once."""
        return Document(b"true", "on") if self.on else Document(b"false", "off")

    def __repr__(self) -> str:
        return f"StaticFlag({self.on})"
