"""The texts that ``schema``, ``lnav-format`` and ``completion`` print."""

from __future__ import annotations

import json
import subprocess
import sys

import msgspec
import pytest

from tracedclient.cli import main
from tracedclient.cli.completion import SHELLS
from tracedclient.trace.model import SCHEMA, TraceResult


def printed(capsys, *argv):
    assert main(list(argv)) == 0
    return capsys.readouterr().out


def test_the_schema_is_of_every_field(capsys):
    """`tracedclient schema` is a JSON Schema that has every field of the line."""
    schema = json.loads(printed(capsys, "schema"))
    assert (schema["$schema"], schema["title"]) == (
        "https://json-schema.org/draft/2020-12/schema",
        SCHEMA,
    )
    fields = {field.name for field in msgspec.structs.fields(TraceResult)}
    assert set(schema["$defs"]["TraceResult"]["properties"]) == fields


def test_lnavs_format_has_every_field(capsys):
    """`tracedclient lnav-format` tells lnav of every field, and of what kind it is."""
    fields = json.loads(printed(capsys, "lnav-format"))["tracedclient_trace"]["value"]
    assert {field.name for field in msgspec.structs.fields(TraceResult)} <= set(fields)
    kinds = [fields[name]["kind"] for name in ("url_full", "server_port", "dns_ms", "truncated")]
    assert kinds == ["string", "integer", "float", "boolean"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shells_script_names_the_commands(capsys, shell):
    """`tracedclient completion SHELL` is a script that knows the commands and their formats."""
    script = printed(capsys, "completion", shell)
    assert all(word in script for word in ("convert", "doctor", "otlp-json"))


def test_without_shtab_the_extra_is_named():
    """Where shtab is not installed, the message says which extra brings it."""
    code = (
        "import sys; sys.modules['shtab'] = None\n"
        "from tracedclient.cli import main\n"
        "sys.exit(main(['completion', 'bash']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert "pip install 'tracedclient[completion]'" in done.stderr
