"""The documents that ``flag on`` and ``flag off`` make. Pure: arguments and a time → a document."""

from __future__ import annotations

import re

import msgspec

from tracedclient.debug.document import DEFAULT_RATE, FlagDocument, Rule
from tracedclient.trace.decision import Emit, Level  # noqa: TC001 - msgspec reads them

_NO_ID = re.compile(r"[^A-Za-z0-9._:/-]+")
_MAX_ID = 64
_UNNAMED = "flag-on"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator asked for. A condition that was not given holds for every call."""

    seconds: float
    """For how long."""
    by: str | None = None
    reason: str | None = None
    rule_id: str | None = None
    """Made of the reason unless given."""
    hosts: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    percent: float = 100.0
    emit: Emit = "all"
    slow_ms: float | None = None
    level: Level = "timing"
    max_per_second: float = DEFAULT_RATE


def switched_on(wanted: Wanted, now: float) -> bytes:
    """Return the document that traces what is ``wanted`` from ``now`` (epoch seconds) on.

    It is not checked: ``flag_problems.problems`` says what a process would not take.
    """
    rule = Rule(
        id=wanted.rule_id or _id_of(wanted.reason or ""),
        hosts=wanted.hosts,
        methods=tuple(method.upper() for method in wanted.methods),
        paths=wanted.paths,
        instances=wanted.instances,
        percent=wanted.percent,
        emit=wanted.emit,
        slow_ms=wanted.slow_ms,
        level=wanted.level,
    )
    return _written(
        FlagDocument(
            schema=1,
            enabled=True,
            until=int(now + wanted.seconds),
            updated_by=wanted.by,
            reason=wanted.reason,
            max_per_second=wanted.max_per_second,
            rules=(rule,),
        )
    )


def switched_off(by: str | None, reason: str | None, now: float) -> bytes:
    """Return the document that switches off, and says who did it and why."""
    return _written(
        FlagDocument(schema=1, enabled=False, until=int(now), updated_by=by, reason=reason)
    )


def _written(document: FlagDocument) -> bytes:
    """Return it as a person reads it, without the fields that say nothing."""
    fields = _said(document)
    rules = () if document.rules is msgspec.UNSET else document.rules
    if rules:
        fields["rules"] = [_said(rule) for rule in rules]
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"


def _said(record: msgspec.Struct) -> dict[str, object]:
    values = {field.name: getattr(record, field.name) for field in msgspec.structs.fields(record)}
    defaults = {field.name: field.default for field in msgspec.structs.fields(record)}
    return {name: value for name, value in values.items() if value != defaults[name]}


def _id_of(reason: str) -> str:
    return _NO_ID.sub("-", reason).strip("-")[:_MAX_ID] or _UNNAMED
