"""A trace that every format can say: what no line of ours has, but a damaged or foreign one may."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.trace.model import TraceResult
from tracedclient.trace.schema import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LARGEST = 10**12
"""Milliseconds, 31 years: no duration is longer, and no other number larger."""
_MAYBE_LARGER = re.compile(rb"(?:[0-9]{13}[0-9.]*|[0-9]e\+?[0-9]+)[],}]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def sound(traces: Iterable[TraceResult]) -> Iterator[TraceResult]:
    """Yield ``traces``, their numbers bounded by 10¹² and without lone surrogates, which neither
    UTF-8 nor protobuf, and so none of the formats, can say.
    """
    for result in traces:
        yield result if _is_sound(result) else _mended(result)


def _is_sound(result: TraceResult) -> bool:
    try:
        return _MAYBE_LARGER.search(to_json(result)) is None
    except (UnicodeEncodeError, OverflowError):
        return False


def _mended(result: TraceResult) -> TraceResult:
    return msgspec.convert(_mend(msgspec.to_builtins(result)), TraceResult)


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mend(key): _mend(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mend(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return max(-_LARGEST, min(_LARGEST, value))
    return value
