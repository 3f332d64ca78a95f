"""A certificate for the servers, and a bundle to trust it by that is as long as the usual one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import certifi
import trustme


class Certificate(NamedTuple):
    """Paths of PEM files.

    chain   the server's key and certificates
    bundle  certifi's authorities, and the one that issued ``chain``: what a client must parse
    """

    chain: Path
    bundle: Path


def issue(directory: Path) -> Certificate:
    """Issue a certificate for 127.0.0.1 and write both files into ``directory``."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate = Certificate(directory / "chain.pem", directory / "bundle.pem")
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificate.chain))
    usual = Path(certifi.where()).read_bytes()
    certificate.bundle.write_bytes(usual + b"\n" + authority.cert_pem.bytes())
    return certificate
