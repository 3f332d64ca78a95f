"""What a dial leaves behind: the winner's socket, and nothing else whatever happens."""

from __future__ import annotations

import gc
import signal
import socket
import weakref

import pytest
import servers
from dialing import Timed, address, dial, hole
from journal import Journal


@pytest.fixture
def holes(start):
    """Three addresses that hang."""
    return [start(hole()) for _ in range(3)]


@pytest.fixture
def listener(start):
    """An address to connect to that opens no descriptor of its own for that."""
    listening = start(socket.create_server(("127.0.0.1", 0)))
    return address(*listening.getsockname())


def test_nothing_is_left_open(listener, holes, open_descriptors):
    """A race leaves the winner's descriptor and no other; a lost one leaves none."""
    dead = [each.address for each in holes]
    before = open_descriptors()

    with dial([*dead, listener], stagger=0.01):
        assert open_descriptors() == before + 1
    assert open_descriptors() == before

    with pytest.raises(TimeoutError):
        dial(dead, stagger=0.01, timeout=0.05)
    assert open_descriptors() == before


def test_losers_are_closed_before_any_hook_hears_of_it(listener, holes, open_descriptors):
    """A hook that takes its time does not keep a half-open connection waiting."""
    before = open_descriptors()
    counted = []
    journal = Journal()
    journal.connect_done = lambda info: counted.append(open_descriptors() - before)

    dial([holes[0].address, listener], stagger=0.01, trace=journal).close()

    assert counted == [1, 1]


def test_an_interrupt_closes_every_socket(holes, open_descriptors):
    """Ctrl-C during the wait ends the race: all sockets closed, all addresses told, nothing eaten."""
    journal = Timed()
    before = open_descriptors()
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt) as caught:
            dial([each.address for each in holes], stagger=0.01, trace=journal)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)

    assert journal.elapsed < 4
    assert list(journal.errors.values()) == [caught.value] * 3
    assert open_descriptors() == before


@pytest.mark.parametrize("hook", ["connect_start", "connect_done"])
def test_an_interrupt_in_a_hook_closes_every_socket(listener, holes, open_descriptors, hook):
    """Ctrl-C while a hook runs leaves nothing open, the winner included."""
    host, port = listener.sockaddr

    def interrupt(info):
        if info.addr == f"{host}:{port}":
            raise KeyboardInterrupt

    journal = Journal()
    setattr(journal, hook, interrupt)
    before = open_descriptors()

    with pytest.raises(KeyboardInterrupt):
        dial([holes[0].address, listener], stagger=0.01, trace=journal)

    assert open_descriptors() == before


class GoodOnce:
    """A socket option's value that cannot be set a second time."""

    def __init__(self):
        self.asked = 0

    def __index__(self):
        self.asked += 1
        if self.asked > 1:
            raise TypeError
        return 1


def test_a_socket_option_that_raises_closes_every_socket(holes, open_descriptors):
    """A mistake in the options is the caller's to see, with nothing left running behind it."""
    journal = Journal()
    before = open_descriptors()
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, GoodOnce())]

    with pytest.raises(TypeError):
        dial([each.address for each in holes], stagger=0.01, socket_options=options, trace=journal)

    assert open_descriptors() == before
    assert journal.hooks == ["connect_start", "connect_start", "connect_done", "connect_done"]


class Options(list):
    """Socket options that can be watched going away."""


@pytest.mark.parametrize("stagger", [0.01, None])
def test_an_error_raised_leaves_nothing_to_the_collector(stagger):
    """Retries against a dead host make no cycles: what failed is gone with its error."""
    gc.disable()
    try:
        options = Options([(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)])
        watched = weakref.ref(options)
        # The first cannot bind to an address of the other family.
        addresses = [address(host, servers.refused_port()) for host in ("::1", "127.0.0.1")]
        with pytest.raises(OSError, match="refused"):
            dial(
                addresses,
                socket_options=options,
                stagger=stagger,
                source_address=("127.0.0.1", 0),
            )
        del options
        assert watched() is None
    finally:
        gc.enable()
