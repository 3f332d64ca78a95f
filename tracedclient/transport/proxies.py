"""The proxies that a client is given: what cannot work is refused when it is made, by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from requests.exceptions import InvalidSchema
from requests.utils import prepend_scheme_if_needed
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROXIED = frozenset({"http", "https", "all"})
_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})


def check_proxies(proxies: Mapping[Any, Any]) -> None:
    """Raise ``TypeError``, ``ValueError`` or ``ImportError``, which do not show a proxy: it may have
    a password.
    """
    for key, proxy in proxies.items():
        if not isinstance(key, str) or key.endswith("://"):
            raise ValueError(
                f"proxies must have keys such as 'https', 'all' or 'https://host', not {key!r}"
            )
        if not isinstance(proxy, (str, type(None))):
            raise TypeError(f"proxies[{key!r}] must be a URL or None, not {type(proxy).__name__}")
        # `urllib.request.getproxies()` has other keys too, of which no request takes notice.
        if proxy and key.partition("://")[0] in _PROXIED:
            _check_proxy(key, proxy)


def _check_proxy(key: str, proxy: str) -> None:
    try:
        url = parse_url(prepend_scheme_if_needed(proxy, "http"))
    except (LocationParseError, ValueError):
        url = None
    if url is None or not url.host or url.scheme not in _SCHEMES:
        raise ValueError(
            f"proxies[{key!r}] must be a URL such as http://proxy:3128, of one of the schemes "
            f"{', '.join(sorted(_SCHEMES))}"
        )
    if url.scheme.startswith("socks"):
        try:
            socks_pool_classes()
        except InvalidSchema as error:
            raise ImportError(f"proxies[{key!r}]: {error}") from error.__cause__


def socks_pool_classes() -> dict[str, Any]:
    """Return the pools for a SOCKS proxy, by scheme.

    Raises ``InvalidSchema`` without PySocks, which only the extra ``socks`` brings.
    """
    try:
        from tracedclient.transport import socks  # noqa: PLC0415
    except ImportError as error:
        raise InvalidSchema(
            "a SOCKS proxy needs PySocks: pip install 'tracedclient[socks]'"
        ) from error
    return socks.POOL_CLASSES
