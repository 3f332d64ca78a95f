"""The types of the log line's fields as DuckDB, and so Parquet, has them: from the model itself."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

from tracedclient.trace.model import TraceResult

_TIMES = frozenset({"started_at", "at"})
"""Fields with a time in UTC, to the microsecond."""


def columns() -> dict[str, str]:
    """Return each field of ``TraceResult`` with its type in DuckDB's SQL, in the line's order."""
    described = inspect.type_info(TraceResult)
    assert isinstance(described, inspect.StructType)
    return dict(map(_column, described.fields))


def _column(field: inspect.Field) -> tuple[str, str]:
    name = field.encode_name
    return name, "TIMESTAMPTZ" if name in _TIMES else _sql(field.type)


def _sql(kind: Any) -> str:
    if isinstance(kind, inspect.UnionType):
        (some,) = (part for part in kind.types if not isinstance(part, inspect.NoneType))
        return _sql(some)
    if isinstance(kind, inspect.VarTupleType):
        return f"{_sql(kind.item_type)}[]"
    if isinstance(kind, inspect.DictType):
        return f"MAP({_sql(kind.key_type)}, {_sql(kind.value_type)})"
    if isinstance(kind, inspect.StructType):
        parts = ", ".join(f'"{name}" {sql}' for name, sql in map(_column, kind.fields))
        return f"STRUCT({parts})"
    return _SCALARS[type(kind)]


_SCALARS: dict[type[msgspec.inspect.Type], str] = {
    inspect.StrType: "VARCHAR",
    inspect.IntType: "BIGINT",
    inspect.FloatType: "DOUBLE",
    inspect.BoolType: "BOOLEAN",
}
