"""Which headers of a request are believed, and what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from tracedclient.trace.baggage import parse_baggage
from tracedclient.trace.context import TraceContext
from tracedclient.trace.formats import formats, read_first
from tracedclient.trace.ids import new_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ACCEPT = ("traceparent", "b3", "b3multi", "X-Trace-Id", "X-Request-Id")
"""The headers looked at unless others are named, and their order."""

_BAGGAGE = "baggage"
_MAX_VALUES = 64

Value: TypeAlias = "str | bytes | Iterable[str | bytes]"


class Acceptance:
    """Reads a trace from headers: the first good one counts, in the order of ``accept``.

    ``accept`` holds ``traceparent`` (with ``tracestate``), ``b3``, ``b3multi``; any other name is
    that of a header whose value is the trace id. ``baggage`` comes along. Without any, nothing is
    believed: for a service that the Internet can reach.

    Raises ``TypeError`` or ``ValueError`` when one is no header's name.
    """

    def __init__(self, accept: Sequence[str] = ACCEPT) -> None:
        self._formats = formats("accept", accept)
        names = {name for form in self._formats for name in form.names}
        self.names = frozenset({*names, _BAGGAGE} if names else ())
        """The headers that matter, in lower case."""

    def read(self, headers: Iterable[tuple[str, str]]) -> TraceContext:
        """Return the trace that ``headers`` name; a new one when they name none that is good.

        Their names are in lower case; one may come several times.
        """
        found = _collected(headers)
        context = read_first(found, self._formats) if found else None
        return _with_baggage(context or TraceContext(new_trace_id(), random=True), found)

    def find(self, headers: Mapping[str, Value] | None) -> TraceContext | None:
        """Return the trace that a message's headers name, in any case; ``None`` for no good one."""
        found = _collected(
            (name.lower(), text)
            for name, value in (headers or {}).items()
            if isinstance(name, str) and name.lower() in self.names
            for text in _texts(value)
        )
        context = read_first(found, self._formats) if found else None
        return None if context is None else _with_baggage(context, found)


def _collected(headers: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in headers:
        values = found.setdefault(name, [])
        if len(values) < _MAX_VALUES:
            values.append(value)
    return found


def _with_baggage(context: TraceContext, found: Mapping[str, Sequence[str]]) -> TraceContext:
    sent = found.get(_BAGGAGE)
    return context._replace(baggage=parse_baggage(sent)) if sent else context


def _texts(value: object) -> list[str]:
    if isinstance(value, (str, bytes)):
        return [value if isinstance(value, str) else value.decode("latin-1")]
    if isinstance(value, (list, tuple)):
        return [text for entry in value[:_MAX_VALUES] for text in _texts(entry)]
    return []
