"""Dialling in tests: addresses, black holes that can be emptied, and when what was tried."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, contextmanager

from journal import Journal

from tracedclient.transport.dial import Address, connect


def address(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return Address(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


def dial(addresses, **options):
    settings = {"timeout": 5, "source_address": None, "socket_options": None, "trace": None}
    return connect(addresses, **{**settings, **options})


class Timed(Journal):
    """Also knows when each address began and ended, in seconds since the journal was made."""

    def __init__(self):
        super().__init__()
        self.made = time.monotonic()
        self.started = {}
        self.ended = {}

    @property
    def elapsed(self):
        return time.monotonic() - self.made

    def connect_start(self, info):
        super().connect_start(info)
        self.started[info.addr] = self.elapsed

    def connect_done(self, info):
        super().connect_done(info)
        self.ended[info.addr] = self.elapsed

    @property
    def errors(self):
        return {info.addr: info.error for info in self.all("connect_done")}


class Hole:
    """A listener whose accept queue is full, so that a connect to it hangs; it can be emptied."""

    def __init__(self, stack, host, port):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = stack.enter_context(socket.socket(family))
        self.listener.bind((host, port))
        self.listener.listen(0)
        self.address = address(*self.listener.getsockname()[:2])
        self.addr = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self._fillers = []
        while not self._is_full(stack, family):
            pass

    @property
    def port(self):
        return self.address.sockaddr[1]

    def _is_full(self, stack, family):
        filler = stack.enter_context(socket.socket(family))
        filler.settimeout(0.05)
        code = filler.connect_ex(self.address.sockaddr)
        self._fillers.append(filler.getsockname())
        if code:
            # Left open, it would take the place of another one when there is room.
            filler.close()
        return code != 0

    def accept_the_one_that_hangs(self):
        """Empties the queue and waits for the kernel's next SYN of the hanging one: a second."""
        self.listener.settimeout(10)
        while True:
            accepted, peer = self.listener.accept()
            if peer not in self._fillers:
                return accepted
            accepted.close()


@contextmanager
def hole(host="127.0.0.9", port=0):
    with ExitStack() as stack:
        yield Hole(stack, host, port)
