"""The address that this host has towards a server: what a gray release by IP names."""

from __future__ import annotations

import socket

from tracedclient.debug.fetching.url import parse_url


def address_towards(url: str) -> str | None:
    """Return the local address from which ``url``'s host is reached. Sends nothing to it.

    ``None`` when it has no route, or no address.
    """
    target = parse_url(url)
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as unused:
            unused.connect(address)
            return str(unused.getsockname()[0])
    except OSError:
        return None
