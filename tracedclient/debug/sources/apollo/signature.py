"""Access keys of Apollo 1.6 and later: a signature over what the server sees of the request.

The server signs the bytes that reached it, so path and query are signed as they go on the wire,
percent-encoding and context path included. A proxy that rewrites the path breaks the signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac


def signature(secret: str, timestamp: str, path: str) -> str:
    """Return the signature of ``path``, which is path and query, at ``timestamp`` (ms)."""
    message = f"{timestamp}\n{path}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha1)).decode()


def signed(app_id: str, secret: str, path: str, now: float) -> dict[str, str]:
    """Return the headers of a request for ``path`` at ``now`` (epoch seconds)."""
    timestamp = str(round(now * 1000))
    return {
        "Authorization": f"Apollo {app_id}:{signature(secret, timestamp, path)}",
        "Timestamp": timestamp,
    }
