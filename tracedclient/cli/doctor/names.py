"""How names are looked up here, and how often for one name."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import msgspec

from tracedclient.cli.doctor.finding import attention, good
from tracedclient.cli.quantities import counted
from tracedclient.transport.resolver import resolver_facts

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.doctor.finding import Finding
    from tracedclient.transport.resolver import ResolverFacts

_LONG_S = 10
_EXAMPLE = "api.example.org"


def check_names(hosts: Iterable[str], *, root: str | os.PathLike[str] = "/") -> Iterator[Finding]:
    """Say what the files in ``etc`` under ``root`` mean for ``hosts``, else for any usual name."""
    facts = resolver_facts(_EXAMPLE, root=root)
    if facts is None:
        advice = "see resolv.conf(5); on another C library than glibc this cannot be told"
        yield attention("dns", "there is no resolv.conf that can be read", advice)
        return
    for host in list(hosts) or [_EXAMPLE]:
        if not _is_address(host):
            yield _lookup(host, resolver_facts(host, root=root) or facts)
    yield from _patience(facts)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _lookup(host: str, facts: ResolverFacts) -> Finding:
    known = msgspec.to_builtins(facts)
    if facts.in_hosts_file:
        said = f"{host} stands in the hosts file; no nameserver is asked"
        return attention("dns", said, "take it out if the name is meant to be looked up", **known)
    servers = ", ".join(facts.nameservers)
    tried = len(facts.tried)
    if not tried:
        order = facts.hosts_order or "files dns"
        return good("dns", f"{host} is looked up by {order}, as nsswitch.conf says", **known)
    if tried > 1 and facts.tried[0].rstrip(".") != host.rstrip("."):
        asked = counted(tried - 1, "other name", "other names")
        said = f"{host}: up to {asked} asked for first (ndots:{facts.ndots}), of {servers}"
        advice = f"write {host}. with a final dot, or set ndots:1, to ask once"
        return attention("dns", said, advice, **known)
    return good("dns", f"{host} is asked for as it is, of {servers}", **known)


def _patience(facts: ResolverFacts) -> Iterator[Finding]:
    if not facts.attempts:
        advice = "set attempts:2 in its options"
        yield attention("dns", f"{facts.path} has attempts:0: no nameserver is asked", advice)
        return
    longest = facts.timeout * facts.attempts * len(facts.nameservers)
    if longest > _LONG_S:
        said = (
            f"a lookup may take {longest} s when nameservers do not answer "
            f"(timeout:{facts.timeout} attempts:{facts.attempts}, {len(facts.nameservers)} of them)"
        )
        yield attention("dns", said, "set timeout:1 attempts:2 in the options of resolv.conf")
