# ruff: noqa: S608 - all that is put into a query is ours, but for file names, which are quoted
"""What DuckDB is asked. ``calls`` is the table of all calls, ``counted`` has their groups' names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.reporting.calls import BY, FIELDS, ID_SEGMENT, ORIGIN, SIGN, UNKNOWN
from tracedclient.cli.reporting.histogram import LARGEST, SCALE, UNIT_MS
from tracedclient.cli.reporting.statistics import MAX_HELD, OTHERS
from tracedclient.trace.model import SCHEMA, TraceResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COUNTED = {
    "schema": "VARCHAR",
    "trace_id": "VARCHAR",
    "outcome": "VARCHAR",
    "verdict_culprit": "VARCHAR",
    "started_at": "VARCHAR",
    "retry_count": "BIGINT",
    **dict.fromkeys(FIELDS, "DOUBLE"),
}
_KEY = {"trace_id": "VARCHAR", "duration_ms": "DOUBLE"}
_REQUIRED = ("trace_id", "outcome", "verdict_culprit", "retry_count", "unaccounted_ms")

_BUCKET = f"floor(ln(least(greatest({{ms}} / {UNIT_MS!r}, 1.0), {LARGEST!r})) * {SCALE!r})::INTEGER"

SETTINGS = (
    "SET preserve_insertion_order = false",
    # How far it is, is asked for; its own bar would be drawn into a page on stdout.
    "SET enable_progress_bar = true",
    "SET enable_progress_bar_print = false",
)
ODDITIES = f"""
SELECT count(*) FILTER (schema <> '{SCHEMA}'), count(*) FILTER (schema = '{SCHEMA}' AND NOT good)
FROM calls"""

NAMED = f"""
CREATE TEMP VIEW counted AS
SELECT calls.*, coalesce(named.name, '{OTHERS}') AS name
FROM calls LEFT JOIN (
    SELECT grouped AS name FROM calls WHERE good
    GROUP BY grouped ORDER BY count(*) DESC, grouped LIMIT {MAX_HELD - 1}
) AS named ON calls.grouped = named.name
WHERE good"""

GROUPS = """
SELECT name, verdict_culprit, outcome, retry_count > 0, count(*)
FROM counted GROUP BY ALL ORDER BY count(*) DESC, name LIMIT 100000"""

TIMES = f"""
SELECT name, field, {_BUCKET.format(ms="ms")}, count(*), sum(ms), min(ms), max(ms)
FROM (UNPIVOT counted ON {", ".join(FIELDS)} INTO NAME field VALUE ms) GROUP BY ALL"""

CULPRITS = "SELECT DISTINCT verdict_culprit FROM calls WHERE good"
WANTED = "CREATE TEMP TABLE wanted (trace_id VARCHAR, duration_ms DOUBLE)"
SPAN = "SELECT min(began), max(began) FROM calls WHERE good"


def table(names: Sequence[str], by: str) -> str:
    """Return the one query that reads the files."""
    required = " AND ".join(f"{name} IS NOT NULL" for name in _REQUIRED)
    return f"""
CREATE TEMP TABLE calls AS
SELECT schema, trace_id, outcome, verdict_culprit, retry_count, {", ".join(FIELDS)}, began,
       {_grouped(by)} AS grouped,
       schema = '{SCHEMA}' AND {required} AND began IS NOT NULL
           AND duration_ms >= 0 AND duration_ms < 'Infinity'::DOUBLE IS TRUE AS good
FROM (
    SELECT *, epoch(try_cast(started_at[:19] AS TIMESTAMP))::BIGINT AS began
    FROM {_files(names, _COUNTED | {BY[by]: "VARCHAR"})}
    WHERE starts_with(schema, '{SIGN.decode()}'))"""


def slices(width_s: int) -> str:
    """Return the query for the calls in slices of ``width_s`` seconds."""
    return f"""
SELECT began // {width_s}, outcome <> 'ok', retry_count > 0,
       {_BUCKET.format(ms="duration_ms")}, count(*), sum(duration_ms), min(duration_ms),
       max(duration_ms)
FROM calls WHERE good GROUP BY ALL"""


def slowest(most: int) -> str:
    """Return the query for id, second and milliseconds of a culprit's ``most`` slowest calls."""
    # Not one for all culprits: a window would sort all calls, this holds only so many.
    return f"""
SELECT trace_id, began, duration_ms FROM calls WHERE good AND verdict_culprit = ?
ORDER BY duration_ms DESC, trace_id DESC LIMIT {most}"""


def records(names: Sequence[str]) -> str:
    """Return the query for the whole records of the calls that the table ``wanted`` names."""
    # As JSON, so that nothing in it is converted before it is known to be shown.
    fields = dict.fromkeys(TraceResult.__struct_fields__, "JSON") | _KEY
    whole = ", ".join(f"{name} := {name}" for name in fields)
    return f"""
SELECT to_json(struct_pack({whole}))
FROM {_files(names, fields)} SEMI JOIN wanted USING (trace_id, duration_ms)"""


def _files(names: Sequence[str], columns: Mapping[str, str]) -> str:
    typed = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    return f"""
    read_json([{", ".join(map(_quoted, names))}], format = 'newline_delimited',
              ignore_errors = true, columns = {{{typed}}})"""


def _grouped(by: str) -> str:
    field = f"coalesce(nullif({BY[by]}, ''), '{UNKNOWN}')"
    if by != "path":
        return field
    path = f"string_split_regex(regexp_replace({field}, '{ORIGIN}', ''), '[?#]')[1]"
    return f"coalesce(nullif(regexp_replace({path}, '{ID_SEGMENT}', '/*', 'g'), ''), '/')"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
