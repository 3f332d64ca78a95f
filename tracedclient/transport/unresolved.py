"""A lookup that failed or was slow → what its trace says of how this machine resolves names."""

from __future__ import annotations

import socket

from tracedclient.redaction import eai_name
from tracedclient.trace.model import Resolver
from tracedclient.transport.resolver import explain, resolver_facts


def explained(host: str, seconds: float, error: BaseException | None) -> Resolver | None:
    """Return how this machine came to a lookup that took ``seconds`` and ended so."""
    facts = resolver_facts(host)
    if facts is None:
        return None
    name = None
    if error is not None:
        name = eai_name(error) if isinstance(error, socket.gaierror) else type(error).__name__
    return Resolver(
        nameservers=facts.nameservers,
        search=facts.search,
        ndots=facts.ndots,
        timeout=facts.timeout,
        attempts=facts.attempts,
        in_hosts_file=facts.in_hosts_file,
        tried=facts.tried,
        hosts_order=facts.hosts_order,
        mtime=facts.mtime,
        explanation=explain(facts, host, seconds, name),
    )
