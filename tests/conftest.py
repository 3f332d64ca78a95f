"""What every test gets: isolation from the machine, real servers, a check for what is left."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
import requests
import servers
import trustme
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from ssl import SSLContext

Context = TypeVar("Context")

# Speed is measured in benchmarks/: here it says only how busy the machine is, and that Hypothesis
# has not yet built its table of Unicode, which takes a second, once per checkout.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def _stop_tracing() -> None:
    sys.settrace(None)
    threading.settrace(None)


# Coverage's tracer has a lock that a thread of the parent may hold, for ever in the child. Here, since
# hooks run in the order of their registration, and those of the package would be traced.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_stop_tracing)

# A script that was started in the background ignores Ctrl-C, and what it starts inherits that: so would
# the commands which tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_MACHINES_OWN = {
    "ALL_PROXY",
    "CURL_CA_BUNDLE",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
}


@pytest.fixture(autouse=True)
def _isolated_environment() -> Iterator[None]:
    """Hides the machine's proxies, certificate authorities and settings of this package."""
    # Not the test's own monkeypatch: its undo() in a test must not bring the machine back.
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.upper() in _MACHINES_OWN or name.upper().startswith("TRACEDCLIENT_"):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _leak_check() -> Iterator[None]:
    """Fails a test that leaves a thread which would keep the process alive."""
    before = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in before and not t.daemon]
    for thread in left:
        thread.join(5.0)
    assert [t.name for t in left if t.is_alive()] == [], "threads left running by this test"


@pytest.fixture
def open_descriptors() -> Callable[[], int]:
    """How many file descriptors this process has open, each time it is called (Linux)."""
    # What earlier tests left to the garbage collector must not vanish in the middle of this one.
    gc.collect()
    # One of them is listdir's own.
    return lambda: len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208 - names suffice


@pytest.fixture
def start() -> Iterator[Callable[[AbstractContextManager[Context]], Context]]:
    """Enters a server, or any context manager, until the test ends: ``start(serve(app))``."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture
def plain_session() -> Iterator[requests.Session]:
    """A ``requests.Session`` that knows nothing of this package, to compare with."""
    with requests.Session() as session:
        yield session


@pytest.fixture
def echo_server() -> Iterator[servers.ScriptedServer]:
    """A running ``serve(echo)``."""
    with servers.serve(servers.echo) as server:
        yield server


@pytest.fixture
def black_hole() -> Iterator[tuple[str, int]]:
    """Host and port at which a connect hangs."""
    with servers.black_hole() as address:
        yield address


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> servers.Resolver:
    """``resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]`` makes that name resolve so."""
    names = servers.Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """The certificate authority of all certificates here. No machine trusts it."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of ``ca``'s certificate, for ``verify=``."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="session")
def server_context(ca: trustme.CA) -> Callable[..., SSLContext]:
    """``server_context("localhost", "127.0.0.1")``: a fresh context for a server of that name."""
    return partial(servers.server_context, ca)


@pytest.fixture(scope="session")
def expired_context(ca: trustme.CA) -> Callable[..., SSLContext]:
    """Like ``server_context``, with a certificate that has expired."""
    return partial(servers.expired_context, ca)


@pytest.fixture(scope="session")
def mutual_context(ca: trustme.CA) -> Callable[..., SSLContext]:
    """Like ``server_context``, demanding a client certificate: ``cert=client_certificate``."""
    return partial(servers.mutual_context, ca)


@pytest.fixture(scope="session")
def client_certificate(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of one file with a client's certificate and key, for ``cert=``."""
    directory: Path = tmp_path_factory.mktemp("client")
    return str(servers.client_pem(ca, directory))
