"""The documentation names what there is."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import msgspec
import pytest

from tracedclient.httptrace import HOOKS
from tracedclient.trace import model

ROOT = Path(__file__).parent.parent
LOG_LINE = (ROOT / "docs" / "log_line.md").read_text()
LIFECYCLE = (ROOT / "docs" / "lifecycle.md").read_text()
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()

NOUNS = [
    model.TraceResult,
    model.Attempt,
    model.Exchange,
    model.Connection,
    model.DNS,
    model.Connect,
    model.Proxy,
    model.TLS,
    model.ErrorInfo,
    model.Event,
    model.TCP,
    model.Resolver,
    model.Pool,
    model.Holder,
    model.Usual,
]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.__name__)
def test_every_field_of_the_log_line_is_documented(noun):
    """A field that is in the line is in docs/log_line.md."""
    named = set(re.findall(r"`([a-z_0-9]+)`", LOG_LINE))

    assert {field.name for field in msgspec.structs.fields(noun)} - named == set()


def test_every_culprit_is_documented():
    """Each word that ``verdict_culprit`` may be is in docs/log_line.md."""
    assert " ".join(model.CULPRITS) in LOG_LINE


def test_every_hook_is_placed_in_the_lifecycle():
    """docs/lifecycle.md says when each hook is called, but for those of Expect: 100-continue."""
    spelled = set(re.findall(r"[a-z_0-9]+", LIFECYCLE.replace("start/done", "start done")))
    spelled |= {f"{word}_done" for word in ("dns", "connect", "tls_handshake")}
    spelled |= {"pool_wait_done", "proxy_connect_done"}

    assert set(HOOKS) - spelled - {"got_100_continue", "wait_100_continue"} == set()


def _configured(name):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / name, encoding="utf-8")
    return parser


def test_the_map_of_the_house_is_that_of_the_linter():
    """CONTRIBUTING.md draws the layers that import-linter keeps, and its table names each of them."""
    drawn = CONTRIBUTING.split("```\n")[1].strip().splitlines()
    layers = _configured("setup.cfg")["importlinter:contract:house"]["layers"].split("\n")
    rooms = set(re.findall(r"`(\w+)(?:\.py|/)`", CONTRIBUTING))

    assert [line.split() for line in drawn] == [line.split(" | ") for line in layers if line]
    assert {room for line in drawn for room in line.split()} - rooms == set()


def test_every_check_is_named():
    """Each environment of tox has its place in CONTRIBUTING.md."""
    names = {name.removeprefix("testenv:") for name in _configured("tox.ini").sections()}
    named = set(re.findall(r"`([\w-]+)`", CONTRIBUTING))

    assert names - named == {"testenv"}


@pytest.mark.parametrize("page", [LIFECYCLE, PERFORMANCE], ids=["lifecycle", "performance"])
def test_files_that_a_page_names_are_there(page):
    """A file of ours that docs/lifecycle.md or docs/performance.md names exists."""
    files = re.findall(r"`((?:\w+/)+\w+\.py)`", page)

    assert files
    assert [
        f for f in files if not any((ROOT / at / f).exists() for at in ("tracedclient", "."))
    ] == []


def test_the_readme_names_the_two_commands():
    """The two set-up commands of the README are the ones that CI runs and that the wheel offers."""
    readme = (ROOT / "README.md").read_text()
    ci = (ROOT / ".ci" / "run").read_text()

    assert "pip install '.[demo]' && .venv/bin/tracedclient demo" in readme
    assert ".venv/bin/pip install tox && .venv/bin/tox" in readme
    assert all(part in ci for part in ("python3 -m venv .venv", ".venv/bin/tox"))
