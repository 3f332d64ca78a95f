"""All that may differ between Go's hooks and ours: each with where, what, and how it is set aside.

docs/httptrace.md publishes this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tracedclient.httptrace import HOOKS

if TYPE_CHECKING:
    from peers.events import Event

Rewrite = Callable[["list[Event]"], "Iterable[Event]"]

EVERYWHERE = "everywhere"
FIELD = "wrote_header_field"


@dataclass(frozen=True)
class Difference:
    """One way in which the two may differ. ``go`` and ``here`` are what each of them does."""

    where: tuple[str, ...]
    """Names of scenarios, or ``EVERYWHERE``."""
    hook: str
    go: str
    here: str
    set_aside: Rewrite
    """Makes two lists of events alike that differ in this alone; applied to both."""
    is_steady: bool = True
    """Whether it shows in every run, and not only when Go's goroutines happen to run so."""

    def applies(self, scenario: str) -> bool:
        return scenario in self.where or EVERYWHERE in self.where


def without(*hooks: str) -> Rewrite:
    return lambda events: [event for event in events if event[0] not in hooks]


def without_fields(*names: str) -> Rewrite:
    return lambda events: [(hook, said) for hook, said in events if said.get("key") not in names]


def without_argument(hook: str, name: str) -> Rewrite:
    def drop(said: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in said.items() if key != name}

    return lambda events: [(h, drop(said) if h == hook else said) for h, said in events]


def fields_by_name(events: list[Event]) -> Iterable[Event]:
    """Each run of header fields, sorted."""
    for _, run in groupby(events, lambda event: event[0] == FIELD):
        yield from sorted(run, key=lambda event: event[1].get("key", ""))


def writers_first(events: list[Event]) -> Iterable[Event]:
    """What tells of writing, then what tells of reading; each in its own order."""
    reading = {"got_first_response_byte", "got_100_continue", "got_1xx_response", "put_idle_conn"}
    return sorted(events, key=lambda event: event[0] in reading)


DIFFERENCES = [
    Difference(
        (EVERYWHERE,),
        "those below Go's sixteen",
        "are not there",
        "are called",
        without(*HOOKS[16:]),
    ),
    Difference(
        (EVERYWHERE,),
        FIELD,
        "Host, User-Agent, Content-Length, then the caller's, sorted",
        "the order of requests, which is that of the wire",
        fields_by_name,
    ),
    Difference(
        (EVERYWHERE,),
        FIELD,
        "User-Agent and Accept-Encoding of net/http",
        "User-Agent, Accept-Encoding, Accept and Connection of requests",
        without_fields("user-agent", "accept-encoding", "accept", "connection"),
    ),
    Difference(
        ("redirect",),
        FIELD,
        "a Referer is added",
        "none is, as in requests",
        without_fields("referer"),
    ),
    Difference(
        ("bad certificate",),
        "tls_handshake_done",
        "the state is all zero",
        "the state has the certificate that was refused",
        without_argument("tls_handshake_done", "certificates"),
    ),
    Difference(
        ("Expect, 100", "Expect, 417", "Expect, silence"),
        "wait_100_continue, wrote_request",
        "may come after the hooks of the answer, from another goroutine",
        "come in the order in which things happen",
        writers_first,
        is_steady=False,
    ),
    Difference(
        ("Expect, 417",),
        "put_idle_conn",
        "is called: the body follows the refusal, and the connection is kept",
        "is not: the body is not sent, and the connection closed",
        without("put_idle_conn"),
        is_steady=False,
    ),
]


def alike(scenario: str, events: list[Event], differences: Iterable[Difference]) -> list[Event]:
    """Return ``events`` with all that may differ in ``scenario`` set aside."""
    for difference in differences:
        if difference.applies(scenario):
            events = list(difference.set_aside(events))
    return events
