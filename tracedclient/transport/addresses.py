"""Which addresses a connection may go to. The address decides and not the name: a name of an
attacker's leads where its owner says, for this lookup, and ``http://0x7f000001`` is loopback too.

The addresses of a lookup that may not be used are left out before any is tried, and the connection
goes to one of the others: there is no second lookup that could say something else (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from urllib3.exceptions import LocationValueError

from tracedclient._value import Value, derived

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.transport.candidate import Address

_IP: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA = (
    "169.254.169.254",  # most clouds
    "169.254.170.2",  # tasks of ECS
    "169.254.170.23",  # pods of EKS
    "fd00:ec2::254",
    "fd00:ec2::23",
    "100.100.100.200",  # Alibaba
    "168.63.129.16",  # Azure
)
# RFC 1918, RFC 6598 (shared), RFC 4193, RFC 3879
_PRIVATE = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    *("fc00::/7", "fec0::/10"),
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052

PUBLIC = "public"
KINDS = frozenset({"loopback", "link-local", "metadata", "private", "special"})


class AddressPolicy(Value):
    """To which addresses a client may connect, at every exchange of a call, redirects included.

    By default to all, but for one thing: no redirect leads further in than it came from. From a
    public address it leads to public ones only, from a private one to private ones too, and to
    this machine only from this machine.

    ``deny`` and ``allow`` have networks such as ``10.0.0.0/8``, single addresses, and kinds:
    ``loopback``, ``link-local``, ``metadata`` (where clouds hand out credentials), ``private``
    (RFC 1918, 4193, 6598), ``special`` (multicast, reserved), and ``internal`` for all five.

    What a proxy connects to is the proxy's business, unless the URL has an address for a host.

    Raises ``TypeError`` or ``ValueError``, naming the field, for a value that cannot be meant.
    """

    deny: frozenset[str] = frozenset()
    """Where no connection goes, be it for the first request or for a redirect."""
    allow: frozenset[str] = frozenset()
    """Exceptions to ``deny``, and to the rule for redirects."""
    inward_redirects: bool = False
    """Whether a redirect may lead further in than it came from."""
    _deny: _Set = derived(init=False)
    _allow: _Set = derived(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.inward_redirects, bool):
            raise TypeError(f"inward_redirects must be a bool, not {self.inward_redirects!r}")
        for name in ("deny", "allow"):
            words = _words(name, getattr(self, name))
            self._set(**{name: words, f"_{name}": _Set(name, words)})

    def refusal(self, address: str, before: str | None = None) -> str | None:
        """Why no connection may go to ``address``; ``None`` when one may.

        ``before`` is the kind of the address that sent a redirect here, if one did.
        """
        ip = _ip(address)
        kinds = _kinds(ip)
        if self._allow.has(ip, kinds):
            return None
        if self._deny.has(ip, kinds):
            return f"{address} is denied"
        if before is None or self.inward_redirects or _leads_no_further_in(kinds[0], before):
            return None
        return f"a redirect leads from a {before} address to {address}, which is {kinds[0]}"

    def permitted(self, host: str, addresses: Sequence[Address]) -> list[Address]:
        """Return those of ``addresses`` that a connection may go to.

        Raises ``Denied`` when there are some, and none that may be used.
        """
        before = came_from.get()
        if before is None and not self.deny:
            return list(addresses)
        refusals = {each: self.refusal(str(each.sockaddr[0]), before) for each in addresses}
        kept = [address for address, refusal in refusals.items() if refusal is None]
        if refusals and not kept:
            raise Denied(host, refusals.values())
        return kept

    def check_literal(self, url: str) -> None:
        """Raise ``Denied`` for a host that is an address, in any spelling, and a denied one."""
        if not (self.deny or came_from.get()):
            return
        try:
            host = urlsplit(url).hostname or ""
            found = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
        except (OSError, ValueError):
            return
        refusals = {self.refusal(str(each[4][0]), came_from.get()) for each in found}
        if None not in refusals:
            raise Denied(host, refusals)


class Denied(LocationValueError):
    """No address of a host may be used."""

    def __init__(self, host: str, refusals: Iterable[str | None]) -> None:
        reasons = "; ".join(sorted({refusal for refusal in refusals if refusal}))
        super().__init__(
            f"no connection to {host}: {reasons}; "
            "if it is meant to be used, name it in AddressPolicy(allow=…)"
        )


class _Set:
    """Addresses, by kind and by network."""

    def __init__(self, name: str, words: frozenset[str]) -> None:
        self._kinds = KINDS if "internal" in words else words & KINDS
        networks = words - KINDS - {"internal"}
        self._networks = tuple(_network(name, word) for word in sorted(networks))

    def has(self, ip: _IP, kinds: Sequence[str]) -> bool:
        return not self._kinds.isdisjoint(kinds) or any(ip in each for each in self._networks)


def _words(name: str, values: Any) -> frozenset[str]:
    # A network is a collection too: of all its addresses.
    if isinstance(values, (str, ipaddress.IPv4Network, ipaddress.IPv6Network)) or not isinstance(
        values, Iterable
    ):
        raise TypeError(
            f'{name} must be a collection of networks and kinds such as {{"internal"}}, '
            f"not {values!r}"
        )
    return frozenset(str(value) for value in values)


def _network(name: str, word: str) -> _Network:
    try:
        return ipaddress.ip_network(word)
    except ValueError as error:
        raise ValueError(
            f"{name} must have networks such as 10.0.0.0/8, or internal, {', '.join(sorted(KINDS))}; "
            f"not {word!r}: {error}"
        ) from None


def kind_of(address: str) -> str:
    """Return the kind of ``address``: ``public``, or what is most telling of ``KINDS``."""
    return _kinds(_ip(address))[0]


def _ip(address: str) -> _IP:
    """The address that counts: that of IPv4 where one of IPv6 only carries it."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip.sixtofour or ip
    return ip


@cache
def _metadata() -> frozenset[_IP]:
    return frozenset(map(ipaddress.ip_address, _METADATA))


@cache
def _private() -> tuple[_Network, ...]:
    return tuple(map(ipaddress.ip_network, _PRIVATE))


def _kinds(ip: _IP) -> list[str]:
    tests = {
        "metadata": ip in _metadata(),
        # Linux takes 0.0.0.0 for this machine.
        "loopback": ip.is_loopback or ip.is_unspecified,
        "link-local": ip.is_link_local,
        "private": any(ip in network for network in _private()),
    }
    kinds = [kind for kind, is_one in tests.items() if is_one]
    is_special = not ip.is_global or ip.is_multicast or ip.is_reserved
    return kinds or ["special" if is_special else PUBLIC]


def _leads_no_further_in(kind: str, before: str) -> bool:
    return kind in {before, PUBLIC} or (before, kind) == ("loopback", "private")


came_from: ContextVar[str | None] = ContextVar("tracedclient_came_from", default=None)
"""The kind of the address that has sent a redirect to the request under way, if one has."""

REDIRECTED = "_tracedclient_before"
"""What a request has that a redirect led to: the kind of the address that it came from."""


def mark_redirect(request: Any, response: Any) -> None:
    """Remember on ``request`` from what kind of address ``response`` sends it on."""
    peer = getattr(response, "peer", None)
    if peer is not None:
        setattr(request, REDIRECTED, kind_of(peer) if peer else _kind_behind_proxy(response.url))


def _kind_behind_proxy(url: str) -> str:
    """What is known of the address that a proxy connected to: it may be anywhere, unless it was
    told.
    """
    try:
        return kind_of(urlsplit(url).hostname or "")
    except ValueError:
        return PUBLIC


@contextmanager
def redirected(request: Any) -> Iterator[None]:
    """While ``request`` is sent, have where it ``came_from``."""
    token = came_from.set(getattr(request, REDIRECTED, None))
    try:
        yield
    finally:
        came_from.reset(token)
