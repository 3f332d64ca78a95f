"""W3C Trace Context, Level 2: the headers ``traceparent`` (§3.2) and ``tracestate`` (§3.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracedclient._pattern import pattern
from tracedclient.trace.context import TraceContext

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRACEPARENT = pattern(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace_id>(?!0{32})[0-9a-f]{32})"
    r"-(?P<span_id>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?",
    re.DOTALL,
)
_MEMBER = pattern(r"([a-z0-9][a-z0-9_*/@-]{0,255})=[ -+\--<>-~]{0,255}[!-+\--<>-~]")

_MAX_TRACEPARENT = 512  # of a version to come; what follows the flags is not looked at
_MAX_RECEIVED = 16 * 1024
_MAX_MEMBERS = 32
_MAX_SENT = 512
_LARGE_MEMBER = 128

_SAMPLED, _RANDOM = 1, 2
_BLANK = " \t"


def parse_traceparent(value: str, tracestate: Sequence[str] = ()) -> TraceContext | None:
    """Return what ``traceparent`` says, in this version or, as far as known, a later one (§3.2.3).

    ``tracestate`` are the fields of that name; they count only with a good ``traceparent``.
    """
    match = _match(value)
    if match is None:
        return None
    bits = int(match["flags"], 16)
    return TraceContext(
        match["trace_id"],
        match["span_id"],
        sampled=bool(bits & _SAMPLED),
        random=bool(bits & _RANDOM),
        tracestate=_parse_tracestate(tracestate) if tracestate else "",
    )


def span_id_of(traceparent: str) -> str | None:
    """Return the sender's span id, ``None`` when the header is not one."""
    match = _match(traceparent)
    return None if match is None else match["span_id"]


def _match(value: str) -> re.Match[str] | None:
    if len(value) > _MAX_TRACEPARENT:
        return None
    match = _TRACEPARENT.fullmatch(value.strip(_BLANK))
    if match is None or (match["version"] == "00" and match["rest"] is not None):
        return None
    return match


def _parse_tracestate(values: Sequence[str]) -> str:
    """Return the fields as one value to be passed on; empty when any of them is not well-formed.

    Of a key that comes twice the first stays. What is longer than the 512 characters that have to
    be passed on loses its members of more than 128 first, then the last ones (§3.3.1.5).
    """
    if sum(map(len, values)) > _MAX_RECEIVED:
        return ""
    fields = [member.strip(_BLANK) for value in values for member in value.split(",")]
    members: dict[str, str] = {}
    for field in filter(None, fields):
        match = _MEMBER.fullmatch(field)
        if match is None:
            return ""
        members.setdefault(match[1], field)
    return "" if len(members) > _MAX_MEMBERS else _shortened(list(members.values()))


def _shortened(members: list[str]) -> str:
    for index in range(len(members) - 1, -1, -1):
        if _is_too_long(members) and len(members[index]) > _LARGE_MEMBER:
            del members[index]
    while _is_too_long(members):
        members.pop()
    return ",".join(members)


def _is_too_long(members: Sequence[str]) -> bool:
    return sum(map(len, members)) + len(members) - 1 > _MAX_SENT
