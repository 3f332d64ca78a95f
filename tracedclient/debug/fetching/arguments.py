"""Arguments of sources that cannot work are refused when the source is made, by name."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from tracedclient.debug.fetching.url import Target, parse_url


def parse_proxy(proxy: str) -> Target:
    """Return the parts of a proxy's URL. Raises ``TypeError`` and ``ValueError``."""
    target = parse_url(proxy, argument="proxy")
    if target.scheme != "http":
        raise ValueError("proxy must begin with http://: it is asked in clear, for https too")
    return target


def check_seconds(argument: str, value: float) -> float:
    """Return ``value``, seconds above 0. Raises ``TypeError`` and ``ValueError``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{argument} must be a number of seconds, not {type(value).__name__}")
    if not 0 < value < math.inf:
        raise ValueError(f"{argument} must be above 0 and finite, not {value}")
    return value


def check_headers(headers: Mapping[str, str] | None) -> Mapping[str, str]:
    """Return ``headers``. Raises ``TypeError`` and ``ValueError``, which do not show a value."""
    if not isinstance(headers, (Mapping, type(None))):
        raise TypeError(f"headers must be a mapping of str to str, not {type(headers).__name__}")
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"headers must map str to str, which {name!r} does not")
        if not name.isascii() or not value.isascii() or not f"{name}{value}".isprintable():
            raise ValueError(f"headers must be printable ASCII, which {name!r} is not")
    return headers or {}


def check_verify(verify: bool | str) -> bool | str:
    """Return ``verify``. Raises ``TypeError``, and ``ValueError`` when there is no such file."""
    if not isinstance(verify, (bool, str)):
        raise TypeError(f"verify must be True, False or a path, not {type(verify).__name__}")
    if isinstance(verify, str) and not os.path.exists(verify):  # noqa: PTH110 - no Path needed
        raise ValueError(f"verify: there is no file {verify!r}")
    return verify


def check_cert(cert: str | tuple[str, str] | None) -> tuple[str, str] | None:
    """Return the paths of certificate and key. Raises ``TypeError`` and ``ValueError``."""
    if cert is None:
        return None
    paths = (cert, cert) if isinstance(cert, str) else cert
    if not isinstance(paths, tuple) or [type(each) for each in paths] != [str, str]:
        raise TypeError("cert must be the path of a file, or a pair: (certificate, key)")
    for path in paths:
        if not os.path.exists(path):  # noqa: PTH110 - no Path needed
            raise ValueError(f"cert: there is no file {path!r}")
    return paths
