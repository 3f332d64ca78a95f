"""The order of the addresses, and what is raised when none of them answers."""

from __future__ import annotations

import errno
import itertools
import os
import socket
import time

import pytest
import servers
from dialing import address, dial
from hypothesis import given
from hypothesis import strategies as st
from journal import Journal

from tracedclient.transport.dial import Address, Dialing, interleave, resolve

NO_ROUTE = "127.255.255.255"
"""The loopback network's broadcast address: Linux says ENETUNREACH at once."""

IPV4, IPV6 = socket.AF_INET, socket.AF_INET6


# --- the order ---------------------------------------------------------------------------------

answers = st.lists(
    st.builds(
        address, st.sampled_from(["::1", "::2", "::3", "127.0.0.1", "127.0.0.2"]), st.just(80)
    )
)


@given(answers)
def test_interleaving_keeps_every_address_once(given_order):
    """Nothing is lost, nothing is added, and a duplicate is tried once."""
    ordered = interleave(given_order)

    assert sorted(ordered) == sorted(set(given_order))


@given(answers)
def test_interleaving_keeps_the_resolvers_order_within_a_family(given_order):
    """RFC 6724's order is the resolver's business: it is changed between families only."""
    ordered = interleave(given_order)

    for family in (IPV4, IPV6):
        first_seen = dict.fromkeys(each for each in given_order if each.family == family)
        assert [each for each in ordered if each.family == family] == list(first_seen)
    assert ordered[:1] == given_order[:1]


@given(answers)
def test_interleaving_alternates_as_long_as_it_can(given_order):
    """Two neighbours of one family mean that the other family is used up."""
    families = [each.family for each in interleave(given_order)]

    for index, (one, next_one) in enumerate(itertools.pairwise(families)):
        if one == next_one:
            assert set(families[index:]) == {one}


@given(answers)
def test_interleaving_twice_is_interleaving_once(given_order):
    """What is in order stays as it is."""
    ordered = interleave(given_order)

    assert interleave(ordered) == ordered


def test_the_lookup_tells_the_order_of_the_tries(resolver):
    """``dns_done`` has the addresses in the order in which they will be tried."""
    resolver["mixed.test"] = ["127.0.0.1", "127.0.0.2", "127.0.0.1", "::1"]
    journal = Journal()

    found = resolve("mixed.test", 80, journal)

    assert [each.sockaddr[0] for each in found] == ["127.0.0.1", "::1", "127.0.0.2"]
    assert journal.one("dns_done").addrs == ("127.0.0.1", "::1", "127.0.0.2")


@given(
    st.sampled_from(["127.0.0.1", "10.1.2.3", "::1", "fe80::1", "::ffff:127.0.0.1", "1.2.3.4"]),
    st.integers(1, 65535),
    st.sampled_from([None, 4, 6]),
)
def test_an_address_is_what_the_resolver_makes_of_it(host, port, version):
    """For a literal address both the first and a later dial get ``getaddrinfo``'s answer, or error."""
    dialing = Dialing(version)
    try:
        found = socket.getaddrinfo(host, port, dialing.family, socket.SOCK_STREAM)
    except socket.gaierror:
        for _ in range(2):
            with pytest.raises(socket.gaierror):
                resolve(host, port, None, dialing)
    else:
        for _ in range(2):
            addresses = resolve(host, port, None, dialing)
            assert addresses == [Address(*each) for each in found]
            addresses.clear()


def test_somebodys_own_resolver_is_asked_for_an_address_too(resolver):
    """Where ``socket.getaddrinfo`` was replaced, it decides, whatever was known before."""
    assert resolve("127.0.0.1", 80, None)[0].sockaddr == ("127.0.0.1", 80)
    resolver["127.0.0.1"] = ["127.0.0.9"]
    assert resolve("127.0.0.1", 80, None)[0].sockaddr == ("127.0.0.9", 80)
    resolver["127.0.0.1"] = ["127.0.0.8"]
    assert resolve("127.0.0.1", 80, None)[0].sockaddr == ("127.0.0.8", 80)


# --- one address -------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [5, None])
def test_one_address_is_connected_to(echo_server, timeout):
    """The socket has the timeout asked for, the options, and the source address."""
    journal = Journal()

    with dial(
        [address(echo_server.host, echo_server.port)],
        timeout=timeout,
        source_address=("127.0.0.2", 0),
        socket_options=iter([(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]),
        trace=journal,
    ) as sock:
        assert sock.gettimeout() == timeout
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockname()[0] == "127.0.0.2"

    assert journal.hooks == ["connect_start", "connect_done"]
    assert journal.one("connect_done").error is None


def test_one_dead_address_takes_its_timeout(black_hole):
    """A single address that hangs is a ``TimeoutError`` after the connect timeout."""
    journal = Journal()
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        dial([address(*black_hole)], timeout=0.1, trace=journal)

    assert 0.1 <= time.monotonic() - began < 3
    assert isinstance(journal.one("connect_done").error, TimeoutError)


def test_one_address_does_not_outlast_the_deadline(black_hole, echo_server):
    """The deadline cuts the connect timeout short, and does not stay on the socket."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        dial([address(*black_hole)], deadline=time.monotonic() + 0.1)
    assert time.monotonic() - began < 3

    [alive] = [address(echo_server.host, echo_server.port)]
    with dial([alive], timeout=None, deadline=time.monotonic() + 5) as sock:
        assert sock.gettimeout() is None


@pytest.mark.parametrize("count", [1, 2])
def test_past_the_deadline_nothing_is_tried(echo_server, count):
    """A deadline that has passed is a ``TimeoutError`` without a packet."""
    journal = Journal()
    addresses = [address(echo_server.host, echo_server.port)] * count

    with pytest.raises(TimeoutError):
        dial(addresses, deadline=time.monotonic(), trace=journal)

    assert journal.hooks == []
    assert echo_server.connections == 0


@pytest.mark.parametrize("count", [1, 2])
def test_a_hook_that_outlasts_the_deadline_is_a_timeout(echo_server, count):
    """A deadline that passes while ``connect_start`` runs ends that address before its packet."""
    deadline = time.monotonic() + 0.02
    journal = Journal()
    journal.connect_start = lambda info: time.sleep(0.04)
    hosts = ["127.0.0.1", "127.0.0.9"][:count]

    with pytest.raises(TimeoutError):
        dial([address(h, echo_server.port) for h in hosts], deadline=deadline, trace=journal)

    assert isinstance(journal.one("connect_done").error, TimeoutError)
    assert echo_server.connections == 0


def test_no_address_is_an_error():
    """A resolver that answers with nothing is told as such."""
    with pytest.raises(OSError, match="no address"):
        dial([])


def test_a_socket_that_cannot_be_made_is_told():
    """An address whose family has no TCP ends as it started: in the trace."""
    journal = Journal()
    impossible = Address(IPV4, socket.SOCK_STREAM, socket.IPPROTO_UDP, "", ("127.0.0.1", 9))

    with pytest.raises(OSError, match="not supported"):
        dial([impossible], trace=journal)

    assert journal.hooks == ["connect_start", "connect_done"]
    assert journal.one("connect_done").error.errno == errno.EPROTONOSUPPORT


def test_the_socket_says_when_it_is_handed_over(echo_server):
    """``before_handshake`` is called once, when the descriptor is taken out of the socket."""
    calls = []
    addresses = [address("127.0.0.9", echo_server.port), address("127.0.0.1", echo_server.port)]
    sock = dial(addresses)
    sock.before_handshake = lambda: calls.append(sock.fileno())

    descriptor = sock.detach()

    os.close(descriptor)
    assert calls == [descriptor]


# --- one after another -------------------------------------------------------------------------


def test_without_a_stagger_one_address_follows_the_other(black_hole, echo_server):
    """``stagger=None``: the next address begins when the one before has failed, never beside it."""
    journal = Journal()
    addresses = [address(*black_hole), address(echo_server.host, echo_server.port)]
    began = time.monotonic()

    with dial(addresses, timeout=0.4, stagger=None, trace=journal) as sock:
        assert sock.getpeername() == addresses[1].sockaddr

    assert time.monotonic() - began >= 0.4
    assert journal.hooks == ["connect_start", "connect_done"] * 2
    assert isinstance(journal.all("connect_done")[0].error, TimeoutError)


def test_without_a_stagger_the_deadline_leaves_the_rest_untried(black_hole, echo_server):
    """An address that is not reached before the deadline is not told of either."""
    journal = Journal()
    addresses = [address(*black_hole), address(echo_server.host, echo_server.port)]

    with pytest.raises(TimeoutError):
        dial(addresses, deadline=time.monotonic() + 0.1, stagger=None, trace=journal)

    assert journal.one("connect_start").addr == f"127.0.0.1:{black_hole[1]}"


def test_a_fixed_source_port_is_used_for_one_address_at_a_time(black_hole, echo_server):
    """Only one socket can have the port: a dead address must not keep the next from it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        source = free.getsockname()
    addresses = [address(*black_hole), address(echo_server.host, echo_server.port)]

    with dial(addresses, timeout=0.3, source_address=source) as sock:
        assert sock.getsockname() == source


# --- what is raised ----------------------------------------------------------------------------


@pytest.fixture
def hosts(black_hole):
    """Addresses by what comes of them."""
    port = servers.refused_port()
    return {
        "refused": address("127.0.0.1", port),
        "dead": address(*black_hole),
        "no route": address(NO_ROUTE, port),
        "wrong family": address("::1", port),
    }


@pytest.mark.parametrize("stagger", [0.01, None])
@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (["dead", "dead"], TimeoutError),
        (["dead", "refused"], ConnectionRefusedError),
        (["refused", "dead"], ConnectionRefusedError),
        (["refused", "no route"], ConnectionRefusedError),
        (["no route", "refused"], ConnectionRefusedError),
        (["no route", "dead"], TimeoutError),
        (["dead", "no route"], TimeoutError),
        (["wrong family", "dead"], TimeoutError),
        (["wrong family", "refused"], ConnectionRefusedError),
    ],
)
def test_the_error_that_says_most_is_raised(hosts, kinds, expected, stagger):
    """A refusal goes before a silence, and that before this machine's lack of a way there."""
    addresses = [hosts[kind] for kind in kinds]

    with pytest.raises(expected):
        dial(addresses, timeout=0.1, stagger=stagger, source_address=("127.0.0.1", 0))


def test_of_errors_that_say_the_same_the_first_addresss_is_raised():
    """The resolver puts first what it prefers, and the error is that address's own."""
    addresses = [address("127.0.0.9", servers.refused_port()), address(NO_ROUTE, 9)]
    journal = Journal()

    with pytest.raises(ConnectionRefusedError) as caught:
        dial([*addresses, address("127.0.0.8", addresses[0].sockaddr[1])], trace=journal)

    assert caught.value is journal.all("connect_done")[0].error


def test_this_machines_lack_of_a_way_is_raised_when_there_is_nothing_else():
    """Where every address is out of reach, that is what is said."""
    with pytest.raises(OSError, match="unreachable") as caught:
        dial([address(NO_ROUTE, 9), address(NO_ROUTE, 10)])
    assert caught.value.errno == errno.ENETUNREACH


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_dialed_socket_knows_what_it_is(host):
    """What the socket was made with is what the system has of it, in the standard library's words."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        port = listener.getsockname()[1]
        with dial(resolve(host, port, None)) as sock:
            kind = (sock.family, sock.type, sock.proto)
            with socket.socket(fileno=sock.detach()) as same:
                asked = (same.family, same.type, same.proto)

    assert kind == asked
    assert [type(each) for each in kind] == [type(each) for each in asked]
