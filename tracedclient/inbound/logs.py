"""The trace id in the application's own log lines, whichever logger they go to."""

from __future__ import annotations

import logging

from tracedclient.inbound.current import current_trace_id


class TraceIdFilter(logging.Filter):
    """Gives each record the ``trace_id`` bound where it is logged; lets all of them pass.

    Put it on handlers: a logger's own filter does not see the records of its children. In front
    of a queue, put it on the ``QueueHandler``, which runs where the record was made.

    A record made without a trace has no ``trace_id``, or ``missing`` when one is given, as a text
    format with ``%(trace_id)s`` needs. One that a record brought along stays.
    """

    ignores_traces = True
    """A trace's own record says all of it without this filter: its line need not be taken apart."""

    def __init__(self, name: str = "", *, missing: str | None = None) -> None:
        super().__init__(name)
        self._missing = missing

    def filter(self, record: logging.LogRecord) -> bool:
        if "trace_id" not in vars(record):
            trace_id = current_trace_id() or self._missing
            if trace_id is not None:
                record.trace_id = trace_id
        return True
