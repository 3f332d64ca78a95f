"""Everything that is wrong with a flag document: where, and what to write instead.

A process stops at the first problem, because it needs one line for its log. Whoever repairs a
document wants to see them all at once.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tracedclient.debug.document import (
    EXAMPLE,
    MAX_BYTES,
    FlagDocument,
    Glob,
    Host,
    InvalidDocument,
    Method,
    Path,
    Rule,
    contradictions,
    decode,
    excerpt,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPOCH = "seconds since 1970, such as 1795000000, which `date -d '30 min' +%s` prints"

WRITE = {
    "schema": "1, which is the only schema there is",
    "enabled": "true or false, without quotes",
    "until": _EPOCH,
    "updated_by": 'who switches it, such as "alice"',
    "reason": 'why, such as "INC-4711"',
    "max_per_second": "a number above 0 and at most 1000",
    "rules": 'a list of at most 100 rules, such as [{"id": "all"}], which is every call',
    "id": 'a name of at most 64 of A-Z a-z 0-9 . _ : / -, such as "pay"',
    "hosts": 'a list of at most 100, such as ["api.pay.com", "*.pay.svc"]',
    "methods": 'a list of at most 100, such as ["POST"]',
    "paths": 'a list of at most 100, such as ["/v1/charge*"]',
    "instances": 'a list of at most 100, such as ["web-7*"]',
    "percent": "a number from 0 to 100, without quotes and without %",
    "emit": '"all", "errors", "slow" or "errors_or_slow"',
    "slow_ms": "a number of milliseconds above 0",
    "level": '"timing" or "headers"',
}
"""What belongs into each field."""

WRITE_EACH = {
    "rules": 'a rule, such as {"id": "all"}',
    "hosts": 'a name or address without scheme, port and path, such as "api.pay.com"',
    "methods": 'a method, such as "POST"',
    "paths": 'a path, which begins with / or * and has no query, such as "/v1/charge*"',
    "instances": 'the host name of a process, such as "web-7*"',
}
"""What belongs into each list."""

_ELEMENTS: dict[str, Any] = {"hosts": Host, "methods": Method, "paths": Path, "instances": Glob}
_AT_BYTE = re.compile(r" \(byte (\d+)\)$")
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeError)
_OPENINGS = {
    b"\xef\xbb\xbf": "it begins with a byte order mark; save it as UTF-8 without one",
    b"\xff\xfe": "it is UTF-16; save it as UTF-8",
    b"\xfe\xff": "it is UTF-16; save it as UTF-8",
    b"<": "it is a page (HTML or XML), not a flag document: look at where it came from",
}


class Problem(NamedTuple):
    """One thing that is wrong."""

    where: str
    """``rules[0].hosts[1]``, or ``line 3, column 7``; empty: the whole document."""
    words: str
    field: str = ""
    """Whose value it is, if it is that of one: ``hosts``."""

    def __str__(self) -> str:
        return f"{self.where}: {self.words}" if self.where else self.words


def problems(body: bytes) -> list[Problem]:
    """Return all that is wrong; an empty list exactly when a process would take the document.

    Takes any bytes, and raises for none.
    """
    try:
        decode(body)
    except InvalidDocument as error:
        return _all_of(body) or [Problem("", str(error))]
    return []


def _all_of(body: bytes) -> list[Problem]:
    if len(body) > MAX_BYTES:
        return []
    for opening, words in _OPENINGS.items():
        if body.lstrip().startswith(opening):
            return [Problem("", words)]
    return _all_of_text(body)


def _all_of_text(body: bytes) -> list[Problem]:
    try:
        body.decode()
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except UnicodeDecodeError as error:
        return [Problem(_position(body, error.start), "this is not UTF-8; save it as UTF-8")]
    except msgspec.ValidationError:
        return [_none_at_all(body)]
    except msgspec.DecodeError as error:
        return _misspelled(body, str(error))
    except RecursionError:
        return []
    return [*_wrong(fields, FlagDocument, ""), *_at_odds(fields.get("rules"))]


def _none_at_all(body: bytes) -> Problem:
    return Problem("", f"{_shown(body)} is no flag document; write true, false, or {EXAMPLE}")


def _misspelled(body: bytes, error: str) -> list[Problem]:
    at = _AT_BYTE.search(error)
    if at is None:
        return []
    words = error[: at.start()].removeprefix("JSON is malformed: ")
    return [Problem(_position(body, int(at[1])), f"this is not JSON: {words}")]


def _position(body: bytes, byte: int) -> str:
    *lines, last = body[:byte].split(b"\n")
    return f"line {len(lines) + 1}, column {len(last.decode(errors='replace')) + 1}"


def _wrong(
    fields: dict[str, msgspec.Raw], kind: type[msgspec.Struct], within: str
) -> Iterator[Problem]:
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    for name, field in known.items():
        where = within + name
        if name in fields:
            yield from _wrong_value(name, fields[name], field.type, where)
        elif field.required:
            yield Problem(where, f"it is missing; write {WRITE[name]}", name)
    for name in [name for name in fields if name not in known]:
        yield Problem(within + excerpt(name), _unknown(name, list(known)))


def _unknown(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f"there is no such field; it is called {near[0]}"
    return f"there is no such field; leave it out, or take one of {', '.join(known)}"


def _wrong_value(name: str, value: msgspec.Raw, kind: Any, where: str) -> Iterator[Problem]:
    if _is(value, kind):
        return
    found: list[Problem] = []
    if name in _ELEMENTS or name == "rules":
        for index, element in enumerate(_elements(value)):
            found += _wrong_element(name, element, f"{where}[{index}]")
    yield from found or [_refused(name, value, where, WRITE[name])]


def _wrong_element(name: str, element: msgspec.Raw, where: str) -> Iterator[Problem]:
    if name == "rules" and _is(element, dict[str, msgspec.Raw]):
        fields = msgspec.json.decode(element, type=dict[str, msgspec.Raw])
        yield from _wrong(fields, Rule, f"{where}.")
    elif name == "rules" or not _is(element, _ELEMENTS[name]):
        yield _refused(name, element, where, WRITE_EACH[name])


def _refused(name: str, value: msgspec.Raw, where: str, write: str) -> Problem:
    return Problem(where, f"{_shown(value)} is refused; write {write}", name)


def _elements(value: msgspec.Raw) -> list[msgspec.Raw]:
    return msgspec.json.decode(value, type=list[msgspec.Raw]) if _is(value, list) else []


def _at_odds(rules: msgspec.Raw | None) -> Iterator[Problem]:
    """Yield what is wrong with rules that are each well written."""
    each = [] if rules is None else _elements(rules)
    sound = [msgspec.json.decode(rule, type=Rule) for rule in each if _is(rule, Rule)]
    for field, words in contradictions(sound):
        yield Problem("", words, field)


def _is(value: msgspec.Raw, kind: Any) -> bool:
    try:
        msgspec.json.decode(value, type=kind)
    except _UNREADABLE:
        return False
    return True


def _shown(value: bytes | msgspec.Raw) -> str:
    # A list or a rule may stand on several lines.
    return excerpt(" ".join(bytes(value).decode(errors="replace").split()), 60)
