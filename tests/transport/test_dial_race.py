"""Happy Eyeballs: several addresses at once, the first to answer wins."""

from __future__ import annotations

import errno
import socket
import time

import pytest
import servers
from dialing import Timed, address, dial, hole
from journal import Journal

from tracedclient import HTTPClient, RetryPolicy


@pytest.fixture
def holes(start):
    """Three addresses that hang."""
    return [start(hole()) for _ in range(3)]


@pytest.fixture
def ipv6_loopback():
    """Skips where there is none."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    return "::1"


def test_a_dead_first_address_costs_a_quarter_of_a_second(echo_server, start):
    """The second address begins after 250 ms and wins; the first one is told as cancelled."""
    dead = start(hole(port=echo_server.port))
    journal = Timed()

    with dial([dead.address, address("127.0.0.1", echo_server.port)], trace=journal) as sock:
        took = journal.elapsed
        assert sock.getpeername() == ("127.0.0.1", echo_server.port)
        assert sock.gettimeout() == 5

    assert 0.25 <= took < 3
    assert journal.hooks == ["connect_start", "connect_start", "connect_done", "connect_done"]
    error = journal.errors[dead.addr]
    assert isinstance(error, OSError)
    assert error.errno == errno.ECANCELED
    assert f"{echo_server.host_port} answered first" in str(error)
    assert journal.errors[echo_server.host_port] is None


def test_a_client_gets_around_a_dead_address(echo_server, start, resolver):
    """A request to a name whose first address is dead succeeds early, and its trace tells why."""
    dead = start(hole(port=echo_server.port))
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]

    with HTTPClient(debug=True, sinks=[], retry=RetryPolicy(max_attempts=1)) as client:
        trace = client.get(f"http://two.test:{echo_server.port}/").trace

    connects = {each.addr: each for each in trace.attempts[0].exchanges[0].connects}
    assert list(connects) == [dead.addr, echo_server.host_port]
    assert connects[dead.addr].error.startswith("ECANCELED: ")
    assert connects[echo_server.host_port].error is None
    assert 250 <= trace.connect_ms < 3000


def test_an_address_that_refuses_costs_nothing(echo_server):
    """The next address begins at once when the one before has failed."""
    journal = Timed()
    refused = [address(host, echo_server.port) for host in ("127.0.0.8", "127.0.0.9")]

    addresses = [*refused, address("127.0.0.1", echo_server.port)]
    with dial(addresses, stagger=4, trace=journal):
        assert journal.elapsed < 3

    assert journal.hooks == ["connect_start", "connect_done"] * 3
    assert [type(error) for error in journal.errors.values()] == [
        ConnectionRefusedError,
        ConnectionRefusedError,
        type(None),
    ]


def test_a_refusal_does_not_end_the_wait_for_the_others(echo_server, start):
    """A later address that refuses leaves the ones before it running, and the next one begins."""
    dead = start(hole())
    journal = Timed()
    hosts = ["127.0.0.8", "127.0.0.1"]

    with dial(
        [dead.address, *(address(host, echo_server.port) for host in hosts)],
        stagger=1,
        trace=journal,
    ):
        # The third does not wait for the second one's stagger.
        assert 1 <= journal.elapsed < 2

    assert journal.errors[dead.addr].errno == errno.ECANCELED
    assert isinstance(journal.errors[f"127.0.0.8:{echo_server.port}"], ConnectionRefusedError)


def test_the_first_address_wins_when_it_is_alive(echo_server):
    """An address that answers within the stagger is the only one that is tried."""
    journal = Journal()
    alive = address("127.0.0.1", echo_server.port)

    with dial([alive, address("127.0.0.9", echo_server.port)], trace=journal) as sock:
        assert sock.getpeername() == alive.sockaddr

    assert journal.one("connect_start").addr == echo_server.host_port


def test_all_dead_addresses_each_have_their_own_timeout(holes):
    """The whole takes the timeout and a stagger for each address after the first."""
    journal = Timed()

    with pytest.raises(TimeoutError):
        dial([each.address for each in holes], timeout=1.5, stagger=1, trace=journal)

    # One after the other they would take 4.5.
    assert 3.5 <= journal.elapsed < 4.4
    for index, each in enumerate(holes):
        # The first has had its time at 1.5; that does not hurry the third.
        assert index <= journal.started[each.addr]
        assert journal.ended[each.addr] - journal.started[each.addr] >= 1.5
        assert isinstance(journal.errors[each.addr], TimeoutError)


def test_a_timeout_shorter_than_the_stagger_moves_on(holes):
    """An address that has had its time makes way for the next one before the stagger is over."""
    journal = Timed()

    with pytest.raises(TimeoutError):
        dial([each.address for each in holes], timeout=0.05, stagger=2, trace=journal)

    assert journal.hooks == ["connect_start", "connect_done"] * 3
    assert 0.15 <= journal.elapsed < 3


def test_the_deadline_ends_all_of_it(holes):
    """At the deadline whatever runs has timed out, and what waits is not tried any more."""
    journal = Timed()
    first, second, third = holes

    with pytest.raises(TimeoutError):
        dial(
            [each.address for each in holes],
            timeout=None,
            stagger=0.8,
            deadline=time.monotonic() + 1.5,
            trace=journal,
        )

    assert 1.4 <= journal.elapsed < 4
    assert journal.errors.keys() == {first.addr, second.addr}
    assert third.addr not in journal.started


def test_a_loser_that_had_connected_is_closed(echo_server, start):
    """Two that connect at the same time: the first is kept, the second one's server sees EOF."""
    ended = []
    second = start(servers.ScriptedServer(lambda peer: ended.append(peer.read_head())))
    late = start(hole())

    class AnswersLate(Journal):
        def connect_start(self, info):
            super().connect_start(info)
            if info.addr == second.host_port:
                # Only now, with the second about to begin, the first one gets through.
                start(late.accept_the_one_that_hangs())

    journal = AnswersLate()
    addresses = [late.address, address("127.0.0.1", second.port)]

    with dial(addresses, stagger=0.01, trace=journal) as sock:
        assert sock.getpeername() == late.address.sockaddr
        second.wait_until(lambda: second.connections == 1 and not second.open_connections)

    assert ended == [None]
    assert [info.addr for info in journal.all("connect_done")] == [late.addr, second.host_port]
    assert journal.all("connect_done")[1].error.errno == errno.ECANCELED


def test_a_dead_ipv6_address_falls_back_to_ipv4(echo_server, start, ipv6_loopback):
    """The case that RFC 8305 was written for."""
    dead = start(hole(ipv6_loopback, echo_server.port))
    journal = Timed()

    with dial([dead.address, address("127.0.0.1", echo_server.port)], trace=journal) as sock:
        assert sock.family == socket.AF_INET
        assert 0.25 <= journal.elapsed < 3

    assert list(journal.errors) == [f"[::1]:{echo_server.port}", echo_server.host_port]


def test_every_address_gets_the_options(echo_server, holes):
    """Options that can be read only once are not used up by the first address."""
    options = iter([(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)])
    addresses = [holes[0].address, address("127.0.0.1", echo_server.port)]

    with dial(addresses, stagger=0.01, socket_options=options) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_an_option_of_one_family_spares_the_other(start, ipv6_loopback):
    """An option that an address does not take fails that address alone; the next one is tried."""
    server = start(servers.serve(servers.echo, host=ipv6_loopback))
    journal = Journal()
    option = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 5)

    with dial(
        [address("127.0.0.1", server.port), address("::1", server.port)],
        socket_options=[option],
        trace=journal,
    ) as sock:
        assert sock.family == socket.AF_INET6

    assert journal.hooks == ["connect_start", "connect_done"] * 2
    assert isinstance(journal.all("connect_done")[0].error, OSError)
