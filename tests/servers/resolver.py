"""``Resolver``: names that exist for the length of a test."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any, TypeAlias

Entry: TypeAlias = list[str] | BaseException

_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


class Resolver(dict[str, Entry | Callable[[], Entry]]):
    """Maps a name to its addresses in order, to the exception of its lookup, or to a function
    that gives either (and may wait first). Other names go to the real ``getaddrinfo``.
    """

    def __init__(self, real: Callable[..., list[Any]] = socket.getaddrinfo) -> None:
        super().__init__()
        self._real = real
        self.lookups: list[str] = []
        """The names of this mapping that were looked up, in order."""

    def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the name in socket.getaddrinfo
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        """Takes the place of ``socket.getaddrinfo``."""
        name = host.decode() if isinstance(host, bytes) else host
        if name not in self:
            return self._real(host, port, family, type, proto, flags)
        self.lookups.append(name)
        addresses = [a for a in self._addresses(name) if family in (0, _family(a))]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found = (self._real(a, port, family, type, proto, flags) for a in addresses)
        return [entry for entries in found for entry in entries]

    def _addresses(self, name: str) -> list[str]:
        entry = self[name]
        entry = entry() if callable(entry) else entry
        if isinstance(entry, BaseException):
            # A fresh one each time: a raised exception collects tracebacks and contexts.
            raise type(entry)(*entry.args)
        return entry


def _family(address: str) -> socket.AddressFamily:
    return _FAMILIES[ipaddress.ip_address(address).version]
