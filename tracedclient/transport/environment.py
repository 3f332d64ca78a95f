"""The process's proxies and CA bundle, looked up once.

requests asks the environment, and reads ``.netrc``, for every request: about a quarter of its time,
and a file that can replace the caller's bearer token. A service's environment does not change.
"""

from __future__ import annotations

import os
from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from requests.utils import should_bypass_proxies

from tracedclient._value import Value

_MAX_ORIGINS = 1024


class Environment(Value):
    """What the environment variables said when it was captured."""

    proxies: tuple[tuple[str, str], ...] = ()
    """Scheme, or ``all``, and the proxy's URL."""
    no_proxy: str = ""
    ca_bundle: str | None = None

    @classmethod
    def capture(cls) -> Environment:
        """Read ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY`` (either case), and
        ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE``.
        """
        found = getproxies_environment()
        no_proxy = found.pop("no", "")
        ca_bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        return cls(tuple(sorted(found.items())), no_proxy, ca_bundle or None)

    def proxies_for(self, url: str) -> dict[str, str]:
        """Return requests' ``proxies`` for ``url``: empty when ``NO_PROXY`` names its host."""
        if not self.proxies:
            return {}
        parts = urlsplit(url)
        bypassed = _is_bypassed(
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", self.no_proxy
        )
        return {} if bypassed else dict(self.proxies)


@lru_cache(maxsize=_MAX_ORIGINS)
def _is_bypassed(origin: str, no_proxy: str) -> bool:
    return bool(should_bypass_proxies(origin, no_proxy=no_proxy))
