"""TLS contexts of a throw-away certificate authority."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import trustme


def server_context(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """For a server that is called ``names``: host names or addresses."""
    return _context(ca.issue_cert(*names))


def expired_context(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """For a server whose certificate ran out yesterday."""
    now = datetime.now(timezone.utc)
    certificate = ca.issue_cert(
        *names, not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
    )
    return _context(certificate)


def mutual_context(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    """For a server that demands a client certificate by the same ``ca``."""
    context = server_context(ca, *names)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_pem(ca: trustme.CA, directory: Path) -> Path:
    """Writes a client's certificate and key into one file, as ``requests`` takes it."""
    path = directory / "client.pem"
    ca.issue_cert("client@example.test").private_key_and_cert_chain_pem.write_to_path(path)
    return path


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
