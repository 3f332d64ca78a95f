"""The traces that were found, in the formats of other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tracedclient.cli.convert.formats import converter
from tracedclient.cli.convert.target import written
from tracedclient.cli.logs.tree import calls
from tracedclient.cli.reading.inputs import inputs
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.cli.logs.arguments import Request
    from tracedclient.cli.reading.entries import Entry


def export(entries: Sequence[Entry], request: Request) -> bool:
    """Write the traces of ``entries``, each once; when that fails, say so and return false."""
    traces = [call.trace for call in calls(one.trace for one in entries if one.trace is not None)]
    convert = converter(request.format)
    if any(_are_same(one.name, request.target) for one in inputs(request.names)):
        return _failed(request, "it would take the place of a log that is read")
    try:
        with written(request.target) as stream:
            for piece in convert(traces):
                stream.write(piece)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _failed(request, error.strerror or str(error))
    return True


def _are_same(name: str, target: str) -> bool:
    try:
        return Path(name).samefile(target)
    except (OSError, ValueError):
        return False


def _failed(request: Request, why: str) -> bool:
    print(f"cannot write {escape(request.target)}: {why}", file=sys.stderr)
    return False
