"""The handshake of a connection with nothing unusual about it, without the questions after what is.

urllib3 asks after a proxy, a tunnel, a fingerprint, another name for the server, HTTP/2 and a clock
that is off. Where all of that comes to nothing, what is left are its settings, which it writes into
the context anew for each connection, and one call of ``SSLContext.wrap_socket``. Anything else is
urllib3's.
"""

from __future__ import annotations

import datetime as dt
import ssl
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from urllib3.connection import RECENT_DATE
from urllib3.util import ssl_
from urllib3.util.ssl_match_hostname import match_hostname

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
    # As urllib3 does it each time: whoever has changed the context has no say.
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    wrapped = context.wrap_socket(sock, server_hostname=_encoded(conn.host))
    if not context.check_hostname:
        # Since we looked, a connection with a name of its own has switched it off for all.
        _compare_names(wrapped, conn.host)
    return wrapped


def _compare_names(sock: ssl.SSLSocket, host: str) -> None:
    try:
        match_hostname(sock.getpeercert(), host)  # type: ignore[arg-type] # urllib3 has its own name for it
    except BaseException:
        sock.close()
        raise


@lru_cache(maxsize=256)
def _encoded(host: str) -> bytes:
    """What ``wrap_socket`` makes of a name, for each socket anew."""
    return host.encode("idna")
