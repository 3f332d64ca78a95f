"""The pools of an adapter, found by what a request says: to find one, urllib3 takes a URL apart and
normalises a key of some thirty fields.

How many there are, and which makes room for another, is urllib3's to say: it is the one that was not
asked for the longest time. It is told here, since it is asked for new ones only.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

_MAX_KEYS = 256

_uses = itertools.count(1)


class KnownPools:
    """Pools that their managers keep, by any key. Safe to use from several threads."""

    def __init__(self) -> None:
        # Weak: one that had to make room is to go, with its idle connections.
        self._pools: dict[Any, weakref.ref[Any]] = {}

    def get(self, key: Any) -> Any:
        """Return the pool that was put there; ``None`` when it is gone or closed."""
        known = self._pools.get(key)
        pool = None if known is None else known()
        if pool is None or pool.pool is None:
            return None
        pool.last_use = next(_uses)
        return pool

    def put(self, key: Any, pool: Any) -> Any:
        """Return ``pool``, once it is known."""
        if len(self._pools) >= _MAX_KEYS:
            self._pools.clear()
        self._pools[key] = weakref.ref(pool)
        pool.last_use = next(_uses)
        return pool


def tell_uses(manager: Any) -> None:
    """Have ``manager`` know in which order its pools were used."""
    pools = manager.pools
    with pools.lock:
        known = list(pools._container.items())  # noqa: SLF001 - urllib3's container cannot be iterated
        for key, _ in sorted(known, key=lambda item: getattr(item[1], "last_use", 0)):
            pools.get(key)
