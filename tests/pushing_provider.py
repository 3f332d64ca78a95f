"""An OpenFeature provider whose flag a test sets: it says so, or not, and can be in trouble."""

from __future__ import annotations

import functools
import os
import threading

from openfeature import api
from openfeature.event import ProviderEvent, ProviderEventDetails
from openfeature.exception import ErrorCode
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

KEY = "tracedclient"


class PushingProvider(InMemoryProvider):
    """Holds one flag. Whatever happens to it, ``tell=False`` keeps that from the subscribers."""

    def __init__(self, value=None):
        super().__init__({})
        if value is not None:
            self.put(InMemoryFlag("now", {"now": value}))

    def put(self, flag):
        self._flags[KEY] = flag

    def set(self, value, *, tell=True):
        self.put(InMemoryFlag("now", {"now": value}))
        if tell:
            self._tell()

    def remove(self, *, tell=True):
        self._flags.pop(KEY, None)
        if tell:
            self._tell()

    def _tell(self):
        self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=[KEY]))

    def fail(self, code=ErrorCode.GENERAL):
        self.emit_provider_error(ProviderEventDetails(message="no network", error_code=code))

    def go_stale(self):
        self.emit_provider_stale(ProviderEventDetails())

    def recover(self):
        self.emit_provider_ready(ProviderEventDetails())


@functools.cache
def start_event_threads():
    """Have the SDK make all the threads of its pool now, as daemons: it keeps them for ever."""
    thread = threading.Thread(target=_occupy_event_threads, daemon=True)
    thread.start()
    thread.join()


def _occupy_event_threads():
    # concurrent.futures makes at most four more than there are processors, and 32. Since Python 3.13
    # it counts those that the process may use.
    processors = getattr(os, "process_cpu_count", os.cpu_count)
    together = threading.Barrier(min(32, (processors() or 1) + 4) + 1)
    client = api.get_client("start the threads")

    def meet(_):
        together.wait(5)

    for _ in range(together.parties - 1):
        client.add_handler(ProviderEvent.PROVIDER_READY, meet)
    together.wait(5)
    for _ in range(together.parties - 1):
        client.remove_handler(ProviderEvent.PROVIDER_READY, meet)
