"""Everything that is wrong with a document."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracedclient.cli.flag_problems import WRITE, WRITE_EACH, problems
from tracedclient.debug.document import FlagDocument, InvalidDocument, Rule, decode

GOOD = {"schema": 1, "enabled": True, "until": 1795000000}


def found(document):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return [str(problem) for problem in problems(body)]


def test_all_at_once():
    """Each mistake is told with its place and what to write there, not only the first."""
    rules = [
        {"id": "a b", "percent": "10%", "host": ["x"], "hosts": ["http://x", "y"], "slow": 1},
        {"id": "x"},
        {"id": "x", "hosts": ["a:1"], "emit": "slow"},
        3,
    ]

    assert found({"schema": 2, "enabled": "true", "rules": rules, "xyz": None}) == [
        "schema: 2 is refused; write 1, which is the only schema there is",
        'enabled: "true" is refused; write true or false, without quotes',
        (
            "until: it is missing; write seconds since 1970, such as 1795000000, which "
            "`date -d '30 min' +%s` prints"
        ),
        (
            'rules[0].id: "a b" is refused; write a name of at most 64 of A-Z a-z 0-9 . _ : / -, '
            'such as "pay"'
        ),
        (
            'rules[0].hosts[0]: "http://x" is refused; write a name or address without scheme, port '
            'and path, such as "api.pay.com"'
        ),
        (
            'rules[0].percent: "10%" is refused; write a number from 0 to 100, without quotes and '
            "without %"
        ),
        "rules[0].host: there is no such field; it is called hosts",
        "rules[0].slow: there is no such field; it is called slow_ms",
        'rules[3]: 3 is refused; write a rule, such as {"id": "all"}',
        (
            "xyz: there is no such field; leave it out, or take one of schema, enabled, until, "
            "updated_by, reason, max_per_second, rules"
        ),
        "two rules are called 'x'; give each its own id",
        "rule 'x': emit 'slow' needs slow_ms",
        "rule 'x': hosts have no port; leave out its number",
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            b'{"schema": 1,\n "enabled": tru}',
            "line 2, column 14: this is not JSON: invalid character",
        ),
        (b'{"a":1,}', "line 1, column 8: this is not JSON: trailing comma in object"),
        (b'{"schema": 1', "the document is not JSON: Input data was truncated"),
        (b"", "the document is empty; to switch debug off, write false"),
        (b" \n<html>", "it is a page (HTML or XML), not a flag document"),
        (b"\xef\xbb\xbftrue", "it begins with a byte order mark; save it as UTF-8 without one"),
        ("true".encode("utf-16"), "it is UTF-16; save it as UTF-8"),
        ('{"ü": "ü'.encode() + b'\xff"}', "line 1, column 9: this is not UTF-8; save it as UTF-8"),
        (b"[" * 70_000, "the document is larger than 64 kB"),
        (b'{"a":' + b"[" * 60_000, "Object contains unknown field `a`"),
        (b'"true"', '"true" is no flag document; write true, false, or {"schema": 1'),
        (b"[]", "[] is no flag document; write true, false, or"),
    ],
)
def test_what_is_no_document(body, words):
    """Whatever it is instead is named, with the line and column where that helps."""
    (one,) = found(body)
    assert one.startswith(words)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"until": "tomorrow"}, 'until: "tomorrow" is refused; write seconds since 1970'),
        ({"until": None}, "until: null is refused"),
        ({"max_per_second": 0}, "max_per_second: 0 is refused; write a number above 0"),
        ({"rules": {"id": "x"}}, 'rules: {"id": "x"} is refused; write a list of at most 100'),
        ({"rules": [{"id": f"{n}"} for n in range(101)]}, 'rules: [{"id": "0"}, {"id": "1"}'),
        ({"rules": [{}]}, "rules[0].id: it is missing; write a name"),
        ({"rules": [{"id": "x", "hosts": "a"}]}, 'rules[0].hosts: "a" is refused; write a list'),
        (
            {"rules": [{"id": "x", "paths": ["a"]}]},
            'rules[0].paths[0]: "a" is refused; write a path',
        ),
        ({"reason": 4711}, "reason: 4711 is refused; write why, such as"),
        ({"reason": ["x" * 1000]}, f'reason: ["{"x" * 58}… is refused'),
    ],
)
def test_a_value(fields, words):
    """A value is shown as it stands there, cut where it is long."""
    (one,) = found({**GOOD, **fields})
    assert one.startswith(words)


@pytest.mark.parametrize("kind", [FlagDocument, Rule])
def test_each_field_has_its_hint(kind):
    """There is a word for each field on what to write there."""
    assert {field.name for field in msgspec.structs.fields(kind)} <= WRITE.keys()
    assert WRITE_EACH.keys() <= WRITE.keys()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda each: st.lists(each, max_size=3),
)
rules = st.lists(
    st.dictionaries(st.sampled_from([field.name for field in msgspec.structs.fields(Rule)]), values)
    | values,
    max_size=3,
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "schema": st.just(1) | values,
        "enabled": st.booleans() | values,
        "until": st.floats(0, 4e9) | values,
        "updated_by": values,
        "reason": values,
        "max_per_second": values,
        "rules": rules | values,
        "other": values,
    },
)


@given(st.binary() | st.text().map(str.encode) | documents.map(lambda d: json.dumps(d).encode()))
@example(b'{"until": 1e999}')
@example(b'{"schema":1,"enabled":true,"until":1,"rules":[{"id":"a","id":3}]}')
@example(b'{"a":' + b"[" * 30_000)
@example(b'{"\xff": 1}')
def test_a_problem_is_found_exactly_where_a_process_finds_one(body):
    """For any bytes: none is raised, and a document without problems is one that is taken."""
    try:
        decode(body)
    except InvalidDocument:
        assert problems(body)
    else:
        assert problems(body) == []
