"""Can certificates be checked? The authorities that a client of this process would believe."""

from __future__ import annotations

import re
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from tracedclient.cli.doctor.finding import attention, good, problem
from tracedclient.cli.flag_times import span
from tracedclient.cli.quantities import counted
from tracedclient.transport.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracedclient.cli.doctor.finding import Finding

_FEW, _MANY = 10, 0.1
_SOON_S = 30 * 86_400
_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+\Z")
_POINT = "point REQUESTS_CA_BUNDLE at a PEM file of certificates that this user may read"


def check_bundle(environ: Mapping[str, str], *, now: float | None = None) -> Iterator[Finding]:
    """Look at the bundle in use, and at variables that look as if they chose one."""
    chosen = Environment.capture().ca_bundle
    variable = "REQUESTS_CA_BUNDLE" if environ.get("REQUESTS_CA_BUNDLE") else "CURL_CA_BUNDLE"
    path = Path(chosen or DEFAULT_CA_BUNDLE_PATH)
    shown = f"{variable}={path}" if chosen else f"certifi's bundle {path}"
    if path.is_dir():
        yield _directory(path, shown)
    else:
        yield _file(path, shown, time.time() if now is None else now)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if environ.get(name) not in {None, "", str(path)}:
            said = f"{name} is set, and has no effect on requests or this client"
            yield attention("ca", said, "set REQUESTS_CA_BUNDLE, or HTTPClient(verify=…), as well")


def _directory(path: Path, shown: str) -> Finding:
    count = sum(bool(_HASHED.match(entry.name)) for entry in path.iterdir())
    if not count:
        advice = "run `openssl rehash` on it: certificates in a directory are found by their hashes"
        return problem("ca", f"{shown} has no certificate under its hash", advice)
    return good("ca", f"{shown}, {counted(count, 'certificate', 'certificates')}", count=count)


def _file(path: Path, shown: str, now: float) -> Finding:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=str(path))
    except OSError as error:
        why = "no certificates in it" if isinstance(error, ssl.SSLError) else error.strerror
        return problem("ca", f"{shown}: {why}", _POINT)
    certificates = context.get_ca_certs()
    if not certificates:
        return problem("ca", f"{shown} has no certificate of an authority", _POINT)
    return _aged(shown, certificates, now)


def _aged(shown: str, certificates: list[Any], now: float) -> Finding:
    left = [ssl.cert_time_to_seconds(certificate["notAfter"]) - now for certificate in certificates]
    expired = sum(seconds <= 0 for seconds in left)
    what = f"{shown}, {counted(len(left), 'certificate', 'certificates')}"
    facts = {"count": len(left), "expired": expired}
    if expired == len(left):
        return problem("ca", f"{what}, all expired", "renew it; no server can be believed", **facts)
    soonest = min(seconds for seconds in left if seconds > 0)
    # In a public bundle a few always are, or soon will be; in a company's own, each matters.
    if expired > len(left) * _MANY or (len(left) < _FEW and soonest < _SOON_S):
        said = f"{what}, {expired} of them expired; the next ends in {span(soonest)}"
        return attention("ca", said, "renew the bundle before servers are refused", **facts)
    return good("ca", what, **facts)
