"""``tracedclient lnav-format``: how lnav (https://lnav.org) shows our lines.

Traces of one id are one operation there (``opid``), so that its timeline and its SQL's ``log_opid``
know them; every field of the summary is a column of the table ``tracedclient_trace``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import inspect

from tracedclient.sinks.line import EVENT
from tracedclient.trace.model import TraceResult

if TYPE_CHECKING:
    import argparse

NAME = "tracedclient_trace"

_KINDS: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.IntType: "integer",
    inspect.FloatType: "float",
    inspect.BoolType: "boolean",
}
_IDENTIFIERS = frozenset(
    ["trace_id", "outcome", "verdict_culprit", "server_address", "service_name", "host_name"]
)
"""Coloured by their value, so that the eye finds those that belong together."""

_SHOWN = (
    *("level", "event", "trace_id", "outcome", "http_request_method", "url_full"),
    *("http_response_status_code", "duration_ms", "verdict_culprit", "verdict_sentence"),
)
"""Fields in the line itself; the others can be searched and queried, and shown by ``:show-fields``."""


def configure(parser: argparse.ArgumentParser) -> None:
    """``lnav-format`` has no arguments."""
    parser.epilog = (
        "tracedclient lnav-format > tracedclient_trace.json && lnav -i tracedclient_trace.json"
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print the format."""
    print(json.dumps({"$schema": _DIALECT, NAME: lnav_format()}, indent=2))
    return 0


def lnav_format() -> dict[str, Any]:
    """Return the format, for lnav 0.11 and later."""
    return {
        "title": "tracedclient",
        "description": "Traces of HTTP calls, and lines in the same shape",
        "url": ["https://lnav.org"],
        "json": True,
        "hide-extra": True,
        "timestamp-field": "timestamp",
        "level-field": "level",
        "opid-field": "trace_id",
        "body-field": "event",
        "level": {"error": "^(error|critical)$", "warning": "^warning$", "info": "^info$"},
        "line-format": _LINE,
        "value": {"event": {"kind": "string"}, **_values()},
        "sample": [{"line": json.dumps(_SAMPLE)}],
    }


def _values() -> dict[str, Any]:
    described = inspect.type_info(TraceResult)
    assert isinstance(described, inspect.StructType)
    return {field.encode_name: _value(field) for field in described.fields}


def _value(field: inspect.Field) -> dict[str, Any]:
    kinds = field.type.types if isinstance(field.type, inspect.UnionType) else (field.type,)
    kind = next(filter(None, (_KINDS.get(type(kind)) for kind in kinds)), "json")
    found: dict[str, Any] = {"kind": kind}
    if field.encode_name in _IDENTIFIERS:
        found["identifier"] = True
    if field.encode_name not in _SHOWN:
        found["hidden"] = True
    return found


_DIALECT = "https://lnav.org/schemas/format-v1.schema.json"
# Blanks and not each field's prefix, which lnav 0.11 does not know.
_LINE = [
    {"field": "__timestamp__"},
    *(part for field in _SHOWN for part in (" ", {"field": field, "default-value": ""})),
]
_SAMPLE = {
    "timestamp": "2026-11-20T22:27:58.127700Z",
    "level": "info",
    "event": EVENT,
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
}
