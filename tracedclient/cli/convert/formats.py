"""The name of a format → its converter, imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracedclient.trace.model import TraceResult

    Converter: TypeAlias = Callable[[Iterable[TraceResult]], Iterator[bytes]]


class _Format(NamedTuple):
    module: str
    function: str
    is_text: bool = True


_FORMATS = {
    "har": _Format("har", "to_har"),
    "otlp-json": _Format("otlp", "to_otlp_json"),
    "zipkin": _Format("zipkin", "to_zipkin"),
    "chrome": _Format("chrome", "to_chrome"),
    "parquet": _Format("parquet", "to_parquet", is_text=False),
}

FORMATS = tuple(_FORMATS)


def converter(name: str) -> Converter:
    """Return the function that writes the format ``name``, one of ``FORMATS``."""
    found = _FORMATS[name]
    function: Converter = getattr(
        import_module(f"tracedclient.cli.convert.{found.module}"), found.function
    )
    return function


def is_text(name: str) -> bool:
    """Whether the format ``name`` may be shown on a terminal."""
    return _FORMATS[name].is_text
