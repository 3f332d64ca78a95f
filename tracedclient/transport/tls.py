"""TLS settings → one ``SSLContext`` each, and what a finished handshake agreed on.

requests parses the CA bundle for every new connection, some 20 ms of CPU. Here a context is built
once for each setting. Its files are looked at again now and then, so that certificates which are
rotated in place (as cert-manager does) are picked up without a restart.
"""

from __future__ import annotations

import logging
import os
import ssl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from tracedclient import httptrace
from tracedclient._value import Value
from tracedclient.errors import UnusableTLSFile
from tracedclient.redaction import causes
from tracedclient.transport.bounded import BoundedSSLSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger("tracedclient")

ALPN_PROTOCOLS = ["http/1.1"]

RECHECK_SECONDS = 60.0
"""How long a rotated certificate may stay unnoticed."""

OWN_SETTINGS = frozenset(
    {"ssl_context", "ssl_version", "ssl_minimum_version", "ssl_maximum_version"}
    | {"ca_cert_data", "key_password"}
)
"""What urllib3's pool manager may have been given that decides about a context."""

Cert = str | tuple[str, str] | None
Verify = bool | str | None


class _Entry(Value):
    context: ssl.SSLContext
    files: tuple[tuple[str, int, int], ...]
    checked_at: float


class TLSContexts:
    """The contexts of one adapter, by setting. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: dict[tuple[Verify, Cert], _Entry] = {}
        self._lock = threading.Lock()

    def context(self, verify: Verify, cert: Cert) -> ssl.SSLContext:
        """Return the context for requests' ``verify`` and ``cert``.

        Raises ``UnusableTLSFile`` when a CA bundle or a certificate is not there, or none, and was so
        when it was first asked for.
        """
        key = (verify, tuple(cert) if isinstance(cert, list) else cert)
        entry = self._entries.get(key)
        now = self._clock()
        if entry is None or now - entry.checked_at >= RECHECK_SECONDS:
            with self._lock:
                entry = self._refreshed(self._entries.get(key), verify, cert, now)
                self._entries[key] = entry
        return entry.context

    @staticmethod
    def _refreshed(entry: _Entry | None, verify: Verify, cert: Cert, now: float) -> _Entry:
        files = _signature(verify, cert)
        if entry is not None and entry.files == files:
            return _Entry(entry.context, files, now)
        try:
            return _Entry(_new_context(verify, cert), files, now)
        except UnusableTLSFile as error:
            if entry is None:
                raise
            # Half written, as it may be: what served a moment ago serves until it is looked at again.
            logger.warning("%s; what was there before is used until it can", error)
            return _Entry(entry.context, entry.files, now)


def _signature(verify: Verify, cert: Cert) -> tuple[tuple[str, int, int], ...]:
    paths = [] if not verify else [_bundle(verify)]
    paths += [cert] if isinstance(cert, str) else list(cert or ())
    return tuple(_signed(path) for path in paths if path is not None)


def _signed(path: str) -> tuple[str, int, int]:
    try:
        stat = os.stat(path)  # noqa: PTH116 - no Path needed
    except OSError:
        return path, 0, 0
    return path, stat.st_mtime_ns, stat.st_size


def _bundle(verify: Verify) -> str:
    return verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH


def _new_context(verify: Verify, cert: Cert) -> ssl.SSLContext:
    context = create_urllib3_context(
        cert_reqs=ssl.CERT_REQUIRED if verify else ssl.CERT_NONE,
        ssl_minimum_version=ssl.TLSVersion.TLSv1_2,
    )
    if verify:
        bundle = _bundle(verify)
        with _read("verify", bundle):
            if os.path.isdir(bundle):  # noqa: PTH112 - no Path needed
                context.load_verify_locations(capath=bundle)
            else:
                context.load_verify_locations(cafile=bundle)
    if cert:
        files = (cert,) if isinstance(cert, str) else cert
        with _read("cert", *files):
            context.load_cert_chain(*files)
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    context.sslsocket_class = _ObservedSSLSocket
    return context


@contextmanager
def _read(argument: str, *files: str | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        named = " and ".join(repr(file) for file in files if file is not None)
        raise UnusableTLSFile(
            f"{argument}: {named} cannot be used: {error.strerror or error}"
        ) from error


def left_to_urllib3(settings: dict[str, Any], verify: Verify, cert: Cert) -> dict[str, Any]:
    """Return the ``settings`` of a pool for who has settings of his own, which a context of ours would
    replace: then urllib3 makes one of both, or adds ours to his.
    """
    if not is_made_here(settings.get("ssl_context")):
        return settings
    settings = {key: value for key, value in settings.items() if key != "ssl_context"}
    if verify:
        bundle = _bundle(verify)
        settings["ca_cert_dir" if os.path.isdir(bundle) else "ca_certs"] = bundle  # noqa: PTH112 - as above
    if cert:
        files = (cert,) if isinstance(cert, str) else cert
        settings.update(zip(("cert_file", "key_file"), files, strict=False))
    return settings


def is_made_here(context: object) -> bool:
    """Whether ``context`` is one of ``TLSContexts``, and the standard library's own kind."""
    return (
        type(context).__module__ == "ssl"
        and getattr(context, "sslsocket_class", None) is _ObservedSSLSocket
    )


class _ObservedSSLSocket(BoundedSSLSocket):
    """Keeps what the peer showed when its certificate is refused: afterwards the socket is gone."""

    def do_handshake(self, *args: Any) -> None:
        try:
            super().do_handshake(*args)  # gevent's takes no argument
        except ssl.SSLCertVerificationError as error:
            error.tls_state = tls_state(self, verified=False)  # type: ignore[attr-defined]
            raise


def refused_state(error: BaseException) -> httptrace.TLSState | None:
    """Return what the peer showed in a handshake that failed for its certificate."""
    for cause in causes(error):
        state = getattr(cause, "tls_state", None)
        if isinstance(state, httptrace.TLSState):
            return state
    return None


def check_files(verify: object, cert: object) -> None:
    """Raise ``TypeError`` or ``ValueError``, naming the argument, when it names no file of use."""
    if not isinstance(verify, (bool, str)):
        raise TypeError(f"verify must be True, False or the path of a CA bundle, not {verify!r}")
    _check_file("verify", _bundle(verify) if verify else None)
    if isinstance(cert, str) or cert is None:
        _check_file("cert", cert)
    elif isinstance(cert, tuple) and len(cert) == 2:
        for path in cert:
            _check_file("cert", path)
    else:
        raise TypeError(f"cert must be a path or a pair (certificate, key), not {cert!r}")
    # The usual bundle takes its time, and is not the caller's to mistake.
    own = verify if isinstance(verify, str) else False
    if own or cert:
        _try(own, cert)


def _try(verify: Verify, cert: Cert) -> None:
    try:
        _new_context(verify, cert)
    except UnusableTLSFile as error:
        raise ValueError(str(error)) from error


def _check_file(argument: str, path: object) -> None:
    if path is None:
        return
    if not isinstance(path, str):
        raise TypeError(f"{argument} must be a path as a str, not {path!r}")
    if not os.path.exists(path):  # noqa: PTH110 - no Path needed
        raise ValueError(f"{argument}: there is no file {path!r}")


def tls_state(sock: Any, *, verified: bool = True) -> httptrace.TLSState:
    """Return what the handshake of ``sock`` agreed on, or came to before it was given up.

    Of a peer that was met before and agreed on the same, it is what was told then.
    """
    agreed = _agreed(sock) if verified and isinstance(sock, ssl.SSLSocket) else None
    state = _known.get(agreed) if agreed is not None else None
    if state is None:
        state = _told(sock, verified=verified)
        if agreed is not None and (state.subject or state.alt_names):
            if len(_known) >= _MAX_KNOWN:
                _known.clear()
            _known[agreed] = state
    return state


_Agreed = tuple[Any, ...]

_MAX_KNOWN = 64
_known: dict[_Agreed, httptrace.TLSState] = {}
"""To take a certificate apart costs more than all else that is told of a handshake."""


def _agreed(sock: ssl.SSLSocket) -> _Agreed | None:
    """All that a ``TLSState`` is made of: with the mode, whether the certificate was checked, too."""
    try:
        certificate, context = sock.getpeercert(True), sock.context
        # Names are only compared where the certificate is checked; and the mode costs more to ask.
        mode = context.check_hostname or context.verify_mode
        cipher, version = sock.cipher(), sock.version()
        alpn, resumed = sock.selected_alpn_protocol(), sock.session_reused
    except _LACKS:
        return None
    return (certificate, mode, cipher, version, alpn, resumed) if certificate else None


def _told(sock: Any, *, verified: bool) -> httptrace.TLSState:
    """Each fact on its own: pyOpenSSL's and TLS-in-TLS sockets lack some of these methods."""
    cipher = _call(sock, "cipher")
    # ssl gives no certificate that it has not checked.
    checked = _call(sock, "getpeercert") if verified else None
    return httptrace.TLSState(
        version=_call(sock, "version"),
        cipher=cipher[0] if cipher else None,
        alpn=_call(sock, "selected_alpn_protocol"),
        resumed=_resumed(sock),
        verified=bool(checked),
        **_taken_apart(checked or _unchecked_certificate(sock)),
    )


def _taken_apart(certificate: dict[str, Any]) -> dict[str, Any]:
    """What a trace tells of a certificate."""
    return {
        "subject": _name(certificate.get("subject")),
        "issuer": _name(certificate.get("issuer")),
        "not_after": _expiry(certificate.get("notAfter")),
        "alt_names": tuple(value for _, value in certificate.get("subjectAltName", ())),
    }


def _unchecked_certificate(sock: Any) -> dict[str, Any]:
    """The peer's certificate although nobody has checked it.

    The standard library's public way gives its bytes only, and only since 3.13; the object behind
    the socket has parsed it in every version.
    """
    try:
        chain = sock._sslobj.get_unverified_chain()  # noqa: SLF001 - see above
        return dict(chain[0].get_info())
    except (AttributeError, TypeError, IndexError, ValueError, OSError):
        return {}


def _resumed(sock: Any) -> bool | None:
    try:
        return bool(sock.session_reused)
    except (AttributeError, ValueError):
        return None


_LACKS = (AttributeError, NotImplementedError, ValueError, OSError)


def _call(sock: Any, method: str) -> Any:
    try:
        return getattr(sock, method)()
    except _LACKS:
        return None


def _name(rdns: Any) -> str | None:
    pairs = [f"{key}={value}" for rdn in rdns or () for key, value in rdn]
    return ", ".join(pairs) or None


def _expiry(not_after: str | None) -> str | None:
    if not_after is None:
        return None
    seconds = ssl.cert_time_to_seconds(not_after)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
