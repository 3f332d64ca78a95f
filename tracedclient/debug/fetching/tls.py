"""One TLS setting → its ``SSLContext``, whose sockets give up as those of ``patient`` do."""

from __future__ import annotations

import os
import ssl
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from tracedclient.debug.fetching.patient import PatientTLSSocket


class _Context(ssl.SSLContext):
    sslsocket_class = PatientTLSSocket

    def wrap_socket(self, sock: Any, *args: Any, **options: Any) -> Any:
        # The constructor would shake hands before the socket could be told of its patience.
        options["do_handshake_on_connect"] = False
        wrapped: Any = super().wrap_socket(sock, *args, **options)
        wrapped.patience = sock.patience
        try:
            wrapped.do_handshake()
        except BaseException:
            wrapped.close()
            raise
        return wrapped


class TLS:
    """One TLS setting. Its context is made when first needed, and anew when a file was rotated.

    ``verify``: a path to a bundle or a directory of certificate authorities, ``True`` for those of
    requests, ``False`` to believe any certificate. ``cert``: paths of the client's certificate and
    of its key, which may be one.
    """

    def __init__(self, verify: bool | str, cert: tuple[str, str] | None = None) -> None:
        self._bundle = DEFAULT_CA_BUNDLE_PATH if verify is True else verify
        self._cert = cert
        self._made: tuple[object, ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """Return the context. Raises ``OSError`` when there is no such file."""
        identity = self._identity()
        if self._made is None or self._made[0] != identity:
            self._made = (identity, self._new())
        return self._made[1]

    def _identity(self) -> object:
        bundle = (self._bundle,) if isinstance(self._bundle, str) else ()
        return [_identity_of(path) for path in (*bundle, *(self._cert or ()))]

    def _new(self) -> ssl.SSLContext:
        context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not isinstance(self._bundle, str):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif os.path.isdir(self._bundle):  # noqa: PTH112 - no Path needed
            context.load_verify_locations(capath=self._bundle)
        else:
            context.load_verify_locations(cafile=self._bundle)
        if self._cert is not None:
            # Without a password given, OpenSSL would ask for one on the terminal.
            context.load_cert_chain(*self._cert, password="")
        return context


def _identity_of(path: str) -> tuple[int, int, int]:
    found = os.stat(path)  # noqa: PTH116 - no Path needed
    return (found.st_ino, found.st_mtime_ns, found.st_size)
