"""The flag's document: bytes of a config centre → ``FlagDocument``, or ``InvalidDocument``.

The schema is closed, and every "on" has an end: a typing error cannot switch tracing on, and a
config centre that is down cannot leave it on. It says which calls are traced, and nothing of what
a trace may show: whoever can write the flag cannot make it show a body or a secret.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from tracedclient.trace.decision import Emit, Level  # noqa: TC001 - msgspec reads them

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_BYTES = 64 * 1024
MAX_TTL = 4 * 3600.0
"""Seconds that debug stays on at most, counted from the first sight of a document."""
BARE_TTL = 30 * 60.0
"""Seconds that a bare ``true`` means."""
DEFAULT_RATE = 100.0
"""``max_per_second`` of a document that does not say."""

EXAMPLE = '{"schema": 1, "enabled": true, "until": 1795000000}'

_LISTED = 100

Glob = Annotated[str, Meta(min_length=1, max_length=1000)]
# Python's $ lets a line end behind it pass, JSON Schema's does not: this way they agree.
Host = Annotated[Glob, Meta(pattern=r"^[^/?#@\s]+$(?!\n)")]
Path = Annotated[Glob, Meta(pattern=r"^[/*][^?#\n]*$(?!\n)")]
Method = Annotated[str, Meta(pattern=r"^[A-Za-z]{1,32}$(?!\n)")]
RuleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:/-]{1,64}$(?!\n)")]
Positive = Annotated[float, Meta(gt=0)]


class InvalidDocument(ValueError):
    """The document is not one; the message says what is wrong, and where."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls, and what of them. A condition that is left out, or empty, holds for every call.

    ``*`` stands for any characters, none included, in hosts, paths and instances.
    """

    id: RuleId
    """Stands in the log line of each call that it matched."""
    hosts: Annotated[tuple[Host, ...], Meta(max_length=_LISTED)] = ()
    """Names or addresses without scheme and port: ``api.pay.com``, ``*.pay.svc``. Case does not count."""
    methods: Annotated[tuple[Method, ...], Meta(max_length=_LISTED)] = ()
    paths: Annotated[tuple[Path, ...], Meta(max_length=_LISTED)] = ()
    """``/v1/charge*``. The query does not belong to it."""
    instances: Annotated[tuple[Glob, ...], Meta(max_length=_LISTED)] = ()
    """Host names of the processes that are to trace, which are pods' names in Kubernetes."""
    percent: Annotated[float, Meta(ge=0, le=100)] = 100
    """Of the trace ids. The same ids everywhere, so that a call and those it leads to agree."""
    emit: Emit = "all"
    """What is logged of the calls traced; decided when a call is over."""
    slow_ms: Positive | None = None
    """From how many milliseconds a call is slow."""
    level: Level = "timing"
    """``headers`` adds the headers' names, and the values of those that are known to be harmless."""
    until: float | None = None
    """Epoch seconds at which this rule ends, if before the document does."""


class FlagDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an on-call engineer publishes, as JSON. ``true`` and ``false`` are its short forms."""

    schema: Literal[1]
    enabled: bool
    until: float
    """Epoch seconds at which debug ends by itself; at most ``MAX_TTL`` ahead counts."""
    updated_by: str | None = None
    reason: str | None = None
    """``INC-4711``: it stands in the log line that announces the change."""
    max_per_second: Annotated[float, Meta(gt=0, le=1000)] = DEFAULT_RATE
    """Traces that one process logs at most; what is above is counted, and dropped."""
    rules: Annotated[tuple[Rule, ...], Meta(max_length=_LISTED)] | msgspec.UnsetType = msgspec.UNSET
    """The first that matches counts. Left out: every call. An empty list: none."""


_decoder: msgspec.json.Decoder[bool | FlagDocument] = msgspec.json.Decoder(bool | FlagDocument)


def decode(body: bytes) -> bool | FlagDocument:
    """Read a document, or one of its short forms.

    Raises ``InvalidDocument``, and nothing else, whatever the bytes.
    """
    if len(body) > MAX_BYTES:
        raise InvalidDocument(f"the document is larger than {MAX_BYTES // 1024} kB")
    if not body.strip():
        raise InvalidDocument("the document is empty; to switch debug off, write false")
    try:
        document = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidDocument(f"{_in_words(error)}; write true, false, or {EXAMPLE}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidDocument(f"the document is not JSON: {excerpt(str(error))}") from None
    except UnicodeError as error:
        raise InvalidDocument(f"the document is not UTF-8: {excerpt(str(error))}") from None
    if isinstance(document, FlagDocument) and document.rules is not msgspec.UNSET:
        for _, words in contradictions(document.rules):
            raise InvalidDocument(words)
    return document


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the document, its short forms included."""
    made = msgspec.json.schema(bool | FlagDocument)
    for noun in made["$defs"].values():
        # Before Python 3.13 a docstring is as indented as its source.
        noun["description"] = cleandoc(noun["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tracedclient: the debug flag's document, schema 1",
        **made,
    }


def contradictions(rules: Iterable[Rule]) -> Iterator[tuple[str, str]]:
    """Yield what the schema cannot refuse, a rule that could never do what it seems to say.

    Each is the name of the field that is to be changed, and what is wrong in words.
    """
    ids: set[str] = set()
    for rule in rules:
        if rule.id in ids:
            yield "id", f"two rules are called {rule.id!r}; give each its own id"
        ids.add(rule.id)
        if rule.emit in ("slow", "errors_or_slow") and rule.slow_ms is None:
            yield "slow_ms", f"rule {rule.id!r}: emit {rule.emit!r} needs slow_ms"
        if any(host.count(":") == 1 for host in rule.hosts):
            yield "hosts", f"rule {rule.id!r}: hosts have no port; leave out its number"


def _in_words(error: msgspec.ValidationError) -> str:
    text = excerpt(str(error))
    if text.startswith("Invalid enum value") and text.endswith("`$.schema`"):
        return f"{text}: schema 1 is the only one that this version knows"
    return text


def excerpt(text: str, limit: int = 80) -> str:
    """``text`` made fit for one log line: cut, and without line ends or terminal escapes."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:limit])
    return shown if len(text) <= limit else f"{shown}…"
