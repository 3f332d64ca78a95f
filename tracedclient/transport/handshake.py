"""The handshake of a connection with nothing unusual about it, without the questions after what is.

urllib3 asks after a proxy, a tunnel, a fingerprint, another name for the server, HTTP/2 and a clock
that is off, and writes its settings into the context anew for each connection. Where all of that
comes to nothing, what is left is one call of ``SSLContext.wrap_socket``. Anything else is urllib3's.
"""

from __future__ import annotations

import datetime as dt
import ssl
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from urllib3.connection import RECENT_DATE
from urllib3.util import ssl_

from tracedclient.transport.shipped import handshake_is_as_shipped
from tracedclient.transport.tls import ALPN_PROTOCOLS, is_made_here

if TYPE_CHECKING:
    import socket

_unusual = attrgetter(
    *("proxy", "_tunnel_host", "_connect_callback"),
    *("server_hostname", "assert_hostname", "assert_fingerprint"),
    *("ca_certs", "ca_cert_dir", "ca_cert_data", "cert_file", "key_file"),
)
_NOTHING = (None,) * 11
_REQUIRED = ("CERT_REQUIRED", ssl.CERT_REQUIRED)


def is_plain(conn: Any) -> bool:
    """Whether ``shake_hands`` does for ``conn`` what urllib3 would."""
    context, host = conn.ssl_context, conn.host
    return bool(
        _unusual(conn) == _NOTHING
        and conn.cert_reqs in _REQUIRED
        and is_made_here(context)
        and context.check_hostname
        and "%" not in host
        and host[:1] != "["
        and ssl_.ALPN_PROTOCOLS == ALPN_PROTOCOLS
        and dt.date.today() >= RECENT_DATE  # noqa: DTZ011 - what urllib3 compares, and warns of
        and handshake_is_as_shipped()
    )


def shake_hands(conn: Any, sock: socket.socket) -> ssl.SSLSocket:
    """Return ``sock`` after the handshake, the peer's certificate checked against ``conn.host``."""
    context: ssl.SSLContext = conn.ssl_context
    # As urllib3 does it each time: whoever has changed the context's mode has no say.
    context.verify_mode = ssl.CERT_REQUIRED
    return context.wrap_socket(sock, server_hostname=_encoded(conn.host))


@lru_cache(maxsize=256)
def _encoded(host: str) -> bytes:
    """What ``wrap_socket`` makes of a name, for each socket anew."""
    return host.encode("idna")
