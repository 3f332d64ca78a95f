"""Parquet, written by DuckDB: the log line's fields as columns, the attempts nested in theirs.

DuckDB and not pyarrow: ``report`` needs it anyway, so that one extra does for both; it takes the
lines as they are and the types as a text, and streams them from file to file.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracedclient.cli.convert.columns import columns
from tracedclient.cli.convert.sound import sound
from tracedclient.trace.schema import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.trace.model import TraceResult

_PIECE = 1024 * 1024

_COPY = """
COPY (
    SELECT * FROM read_json(
        $lines, format = 'newline_delimited', columns = {columns}, maximum_object_size = 67108864
    )
) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
"""


def to_parquet(traces: Iterable[TraceResult]) -> Iterator[bytes]:
    """Yield one Parquet file of ``traces``, in pieces of a megabyte.

    Both the lines and the file lie in the directory for temporary files meanwhile.

    Raises ``ImportError`` when the extra ``report`` is not installed, ``OSError`` when DuckDB cannot
    write the file.
    """
    duckdb = _duckdb()
    with tempfile.TemporaryDirectory(prefix="tracedclient-") as directory:
        lines, target = Path(directory, "traces.jsonl"), Path(directory, "traces.parquet")
        with lines.open("wb") as file:
            file.writelines(to_json(result) + b"\n" for result in sound(traces))
        try:
            _copy(duckdb, lines, target)
        except duckdb.Error as error:
            raise OSError(f"DuckDB: {error}") from error
        with target.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def _copy(duckdb: Any, lines: Path, target: Path) -> None:
    # Nothing is to be fetched from anywhere; what is used is part of DuckDB itself.
    with duckdb.connect(config={"autoinstall_known_extensions": False}) as database:
        database.execute(_statement(target), {"lines": str(lines)})


def _statement(target: Path) -> str:
    typed = ", ".join(f"'{name}': '{sql}'" for name, sql in columns().items())
    quoted = str(target).replace("'", "''")
    return _COPY.format(columns=f"{{{typed}}}", target=quoted)


def _duckdb() -> Any:
    try:
        import duckdb  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError(
            "Parquet is written by DuckDB: pip install 'tracedclient[report]'"
        ) from error
    return duckdb
