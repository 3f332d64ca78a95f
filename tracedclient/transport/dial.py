"""From a host name to a connected socket: the lookup, then the addresses, raced (RFC 8305).

urllib3 does both in one function, one address after another, which hides what an on-call engineer
asks first: what did DNS say, and which of those addresses did not answer? And it waits for a dead
address as long as for a slow one.
"""

from __future__ import annotations

import errno
import socket
import time
from functools import lru_cache
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from urllib3.exceptions import LocationParseError

# As a module: `urllib3.util.connection.allowed_gai_family = …` is how people turn IPv6 off.
from urllib3.util import connection as urllib3_connection

from tracedclient import httptrace
from tracedclient._value import Value
from tracedclient.transport import on_demand
from tracedclient.transport.candidate import (
    Address,
    Candidate,
    DialedSocket,
    Terms,
    address_text,
)
from tracedclient.transport.lookup import getaddrinfo
from tracedclient.transport.race import race

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracedclient.httptrace import ClientTrace
    from tracedclient.trace.model import Resolver
    from tracedclient.transport.addresses import AddressPolicy

__all__ = ["Address", "DialedSocket", "Dialing", "address_text", "connect", "interleave", "resolve"]

SLOW_LOOKUP = 0.1
"""Seconds; a lookup that takes longer has asked more than a cache."""

_MAX_HOSTS = 256

STAGGER = 0.25
"""Seconds; RFC 8305 §8 recommends them."""

_NOWHERE_TO_GO = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What this machine says of an address that it has no way to, such as IPv6 without a route."""


class Dialing(Value):
    """How addresses are chosen and tried."""

    version: int | None = None
    """4 or 6 for that version of IP only."""
    stagger: float | None = STAGGER
    """Seconds until the next address is tried while the one before is; ``None`` for one by one."""
    addresses: AddressPolicy | None = None
    """Which of them may be used; ``None`` for all."""

    @property
    def family(self) -> socket.AddressFamily:
        """What to ask ``getaddrinfo`` for."""
        if self.version is None:
            return urllib3_connection.allowed_gai_family()
        return socket.AF_INET if self.version == 4 else socket.AF_INET6


USUAL = Dialing()


def resolve(
    host: str,
    port: int,
    trace: ClientTrace | None,
    dialing: Dialing = USUAL,
    *,
    deadline: float | None = None,
) -> list[Address]:
    """Return the addresses of ``host``, in the order in which to try them.

    Raises ``LocationParseError`` when ``host`` cannot be a name, ``socket.gaierror`` when it has
    no address, ``TimeoutError`` when there is no answer by ``deadline`` (on ``time.monotonic``).
    """
    if not _is_name(host):
        raise LocationParseError(f"'{host}', label empty or too long")
    if _is_literal(host):
        return _of_literal(host, port, dialing.family)
    if trace is None:
        return _lookup(host, port, dialing.family, deadline)
    trace.dns_start(httptrace.DNSStartInfo(host=host))
    began = time.monotonic()
    try:
        addresses = _lookup(host, port, dialing.family, deadline)
    except BaseException as error:
        resolver = _explained(host, time.monotonic() - began, error)
        trace.dns_done(httptrace.DNSDoneInfo(host=host, addrs=(), error=error, resolver=resolver))
        raise
    addrs = tuple(dict.fromkeys(str(address.sockaddr[0]) for address in addresses))
    resolver = _explained(host, time.monotonic() - began, None)
    trace.dns_done(httptrace.DNSDoneInfo(host=host, addrs=addrs, error=None, resolver=resolver))
    return addresses


def _explained(host: str, seconds: float, error: BaseException | None) -> Resolver | None:
    """How this machine came to a failed or slow lookup: that is worth reading three files."""
    if error is None and seconds < SLOW_LOOKUP:
        return None
    return on_demand.unresolved.explained(host, seconds, error)


def _lookup(host: str, port: int, family: int, deadline: float | None) -> list[Address]:
    found = getaddrinfo(host, port, family, deadline)
    return interleave([Address(*address) for address in found])


def _of_literal(host: str, port: int, family: int) -> list[Address]:
    # Who replaces it may have an answer of his own; a scope's number can change.
    if socket.getaddrinfo is not _getaddrinfo or "%" in host:
        return _lookup(host, port, family, None)
    return list(_known_literal(host, port, family))


_getaddrinfo = socket.getaddrinfo


@lru_cache(maxsize=_MAX_HOSTS)
def _known_literal(host: str, port: int, family: int) -> tuple[Address, ...]:
    return tuple(_lookup(host, port, family, None))


@lru_cache(maxsize=_MAX_HOSTS)
def _is_name(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


@lru_cache(maxsize=_MAX_HOSTS)
def _is_literal(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False


def interleave(addresses: Sequence[Address]) -> list[Address]:
    """Return ``addresses`` with their families taking turns (RFC 8305 §4), each address once.

    The family of the first one begins; within a family the order stays, which is the resolver's
    (RFC 6724). When one family has no more, the rest of the other follows.
    """
    families: dict[int, dict[object, Address]] = {}
    for address in addresses:
        families.setdefault(address.family, {}).setdefault(address.sockaddr, address)
    turns = zip_longest(*(family.values() for family in families.values()))
    return [address for address in chain.from_iterable(turns) if address is not None]


def connect(
    addresses: Sequence[Address],
    *,
    timeout: float | None,
    deadline: float | None = None,
    source_address: tuple[str, int] | None,
    socket_options: Iterable[tuple[int, int, int | bytes]] | None,
    trace: ClientTrace | None,
    stagger: float | None = STAGGER,
) -> DialedSocket:
    """Return a socket connected to the one of ``addresses`` that answers first (RFC 8305 §5).

    They are tried in their order. The next one begins when the one before has failed, or after
    ``stagger`` seconds beside it; ``None`` is one after another. That is also the way with a fixed
    source port, which only one socket can have.

    ``timeout`` is seconds for each address, ``None`` for the operating system's own; none is tried
    or waited for past ``deadline``, a second of ``time.monotonic()``. The socket keeps ``timeout``.

    The trace is told of the start and the end of every address that was tried, all before this
    returns. One that lost the race is closed, and ends with ``ECANCELED``.

    When none answers, raises the ``OSError`` that says most, of equals that of the first address:
    a failure such as a refusal goes before ``TimeoutError``, and that before those which only say
    that this machine has no way there, as without IPv6. ``TimeoutError`` therefore means that
    nothing was heard from any address.
    """
    if not addresses:
        raise OSError("getaddrinfo returned no address")
    terms = Terms(timeout, deadline, source_address, tuple(socket_options or ()), trace)
    candidates = [Candidate(address, terms) for address in addresses]
    try:
        return _award(_winner(candidates, terms, stagger), candidates, timeout)
    except BaseException as error:
        _close(candidates, error)
        raise
    finally:
        for candidate in candidates:
            # Its traceback holds frames that hold the candidate: a cycle for the collector.
            candidate.error = None


def _close(candidates: Sequence[Candidate], error: BaseException) -> None:
    # All of them before the first hook, which may take its time.
    for candidate in candidates:
        candidate.close()
    for candidate in candidates:
        candidate.end(error)


def _winner(candidates: Sequence[Candidate], terms: Terms, stagger: float | None) -> Candidate:
    source = terms.source_address
    if stagger is None or len(candidates) == 1 or (source and source[1]):
        winner = _one_after_another(candidates, terms)
    else:
        winner = race(candidates, terms, stagger)
    if winner is None:
        raise _most_telling(candidates)
    return winner


def _one_after_another(candidates: Sequence[Candidate], terms: Terms) -> Candidate | None:
    for each in candidates:
        if terms.in_time and each.connect():
            return each
    return None


def _award(
    winner: Candidate, candidates: Sequence[Candidate], timeout: float | None
) -> DialedSocket:
    sock = winner.sock
    sock.settimeout(timeout)
    if len(candidates) == 1:
        winner.end(None)
        return sock
    losers = [each for each in candidates if each is not winner]
    # All of them before the first hook, which may take its time.
    for loser in losers:
        loser.close()
    for candidate in candidates:
        candidate.end(None if candidate is winner else _cancelled_by(winner))
    return sock


def _cancelled_by(winner: Candidate) -> OSError:
    return OSError(errno.ECANCELED, f"cancelled, because {winner.addr} answered first")


def _most_telling(candidates: Sequence[Candidate]) -> OSError:
    errors = [candidate.error for candidate in candidates if candidate.error is not None]
    return min(errors, key=_rank, default=TimeoutError("timed out"))


def _rank(error: OSError) -> int:
    # A gaierror is bind's: a source address of the other family.
    if isinstance(error, socket.gaierror) or error.errno in _NOWHERE_TO_GO:
        return 2
    return 1 if isinstance(error, TimeoutError) else 0
