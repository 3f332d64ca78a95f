"""Receive timestamps stay switched on where one traced connection follows another."""

from __future__ import annotations

import gc
import os
import resource
import socket
import sys

import pytest

from tracedclient import TracedSession
from tracedclient.httptrace import ClientTrace, client_trace
from tracedclient.transport.stamping import kept_on

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux stamps what arrives")

_SO_TIMESTAMPING = 37


@pytest.fixture
def asking():
    """How many descriptors of this process ask for timestamps, beside those of earlier tests."""
    gc.collect()
    before = _asking()
    return lambda: _asking() - before


def _asking():
    return sum(map(_asks, map(int, os.listdir("/proc/self/fd"))))  # noqa: PTH208 - names suffice


def _asks(descriptor):
    try:
        copy = os.dup(descriptor)
    except OSError:
        return False  # listdir's own
    try:
        with socket.socket(fileno=copy) as sock:
            return sock.getsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPING) != 0
    except OSError:
        os.close(copy)  # no socket
        return False


def test_the_second_short_lived_connection_keeps_them_on(client, echo_server, asking):
    """From the second of two connections that last for one request, a descriptor goes on asking."""
    client.get(f"{echo_server.url}/close")
    after_the_first = asking()
    client.get(f"{echo_server.url}/close")

    assert (after_the_first, asking()) == (0, 1)


def test_a_closed_client_no_longer_asks(make_client, echo_server, asking):
    """What kept them on goes with the client."""
    client = make_client()
    for _ in range(3):
        client.get(f"{echo_server.url}/close")

    client.close()

    assert asking() == 0


def test_two_clients_ask_once(make_client, echo_server, asking):
    """One descriptor is enough for a process; it goes with the last that holds it."""
    first, second = make_client(), make_client()
    for client in (first, second, first, second):
        client.get(f"{echo_server.url}/close")
    with_both = asking()
    first.close()

    assert (with_both, asking()) == (1, 1)


def test_an_untraced_connection_gives_it_back(make_client, echo_server, asking):
    """When debug is switched off, the next connection lets the kernel stop."""
    client = make_client(debug=False)
    for _ in range(2):
        client.get(f"{echo_server.url}/close", debug=True)
    while_on = asking()
    client.get(f"{echo_server.url}/close")

    assert (while_on, asking()) == (1, 0)


def test_a_kept_connection_needs_no_other(client, echo_server, asking):
    """A connection that is kept asks itself, and nothing beside it."""
    for _ in range(3):
        client.get(echo_server.url)

    assert asking() == 1


def test_a_session_of_requests_keeps_them_on_too(echo_server, asking):
    """The drop-in's connections do the same."""
    with TracedSession() as session, client_trace(ClientTrace()):
        for _ in range(2):
            session.get(f"{echo_server.url}/close")
        while_open = asking()

    assert (while_open, asking()) == (1, 0)


def test_a_process_without_descriptors_goes_without(asking):
    """At the limit of open files nothing is raised, and the next one may try again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        assert kept_on() is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    stamping = kept_on()
    assert stamping is kept_on()
    assert asking() == 1


def test_a_descriptor_that_is_gone_already_is_no_error(asking):
    """Where all descriptors were closed, as a daemon does, letting go of this one says nothing."""
    stamping = kept_on()
    os.close(stamping._fd)
    del stamping
    gc.collect()

    # An error there would fail this test: all warnings are.
    assert asking() == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_leaves_its_parents(client, echo_server, asking):
    """A child that closes the client takes its own copy away only."""
    for _ in range(2):
        client.get(f"{echo_server.url}/close")

    child = os.fork()
    if child == 0:
        code = 1
        try:
            client.close()
            gc.collect()
            code = asking()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert asking() == 1
