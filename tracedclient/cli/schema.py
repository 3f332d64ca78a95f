"""``tracedclient schema``: the JSON Schema of the log line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tracedclient.trace.model import SCHEMA
from tracedclient.trace.schema import json_schema

if TYPE_CHECKING:
    import argparse

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def configure(parser: argparse.ArgumentParser) -> None:
    """``schema`` has no arguments."""
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print it."""
    print(json.dumps({"$schema": _DIALECT, "title": SCHEMA, **json_schema()}, indent=2))
    return 0
