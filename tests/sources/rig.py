"""``Rig``: a source of the flag, the server behind it, and the operator's hand on that server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tracedclient.debug import FlagSource


class Rig(ABC):
    """Made with a fresh directory of its own. Its server then runs, and has no document yet."""

    name: str
    pushed: bool = False
    """The server tells of a flip: it must be seen within 0.2 s. Else the source looks for it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @abstractmethod
    def source(self) -> FlagSource:
        """Return a new source on this server, whether it runs or not."""

    @abstractmethod
    def publish(self, body: bytes | None) -> None:
        """Do what an operator does to have ``body`` served, any bytes; ``None`` deletes.

        The server runs. When this returns, its clients can have the news.
        """

    @abstractmethod
    def stop(self) -> None:
        """Let the server die: connections break, new ones are refused. It keeps its documents."""

    @abstractmethod
    def start(self) -> None:
        """Bring the server back, at the same address, after ``stop`` or ``hang``; wait for it."""

    def hang(self) -> None:
        """Let the server take connections and answer nothing; dead, where it cannot hang."""
        self.stop()

    @abstractmethod
    def close(self) -> None:
        """Give back all of it, in whatever state it is."""
