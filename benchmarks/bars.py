"""The bars: what a ratio or a number must not exceed. The one place where they stand."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.peers import DO_OFF, DO_ON, HTTPX_TRACE, OTEL, REQUESTS, SESSION, URLLIB3
from benchmarks.starting import IMPORT_CLIENT, IMPORT_REQUESTS, MAKE_CLIENT

SLACK = 4 / 3
"""The guard fails when a ratio is more than a third over its bar: noise does not reach that far."""


class Bar(NamedTuple):
    """A ratio of two rows of one scenario, and how far it may go.

    of, against  the rows; the ratio is the cost of ``of`` to that of ``against``
    limit        the most that it may be; where ``at_least``, the least
    aim          where it is to go one day
    at_least     for scenarios of requests per second, where more is better
    guarded      whether the guard watches it
    """

    scenario: str
    of: str
    against: str
    limit: float
    aim: float | None = None
    at_least: bool = False
    guarded: bool = True

    @property
    def name(self) -> str:
        """What it is about, in few words."""
        return f"{self.scenario}: {self.of} ÷ {self.against}"

    @property
    def rows(self) -> tuple[str, ...]:
        """The rows that must be measured."""
        return self.of, self.against

    @property
    def said(self) -> str:
        """The bar itself."""
        return f"{'≥' if self.at_least else '≤'} {self.limit:.2f}"

    def is_met(self, ratio: float) -> bool:
        """Whether a ratio keeps to the bar."""
        return ratio >= self.limit if self.at_least else ratio <= self.limit

    def is_held(self, ratio: float) -> bool:
        """Whether a ratio keeps to the bar, or nearly so."""
        return ratio * SLACK >= self.limit if self.at_least else ratio <= self.limit * SLACK


class Limit(NamedTuple):
    """A number that stands alone, and the most that it may be.

    scenario  what measures it: a scenario, "leftovers" or "memory"
    name      how the number is called in the results
    title     for the table
    unit      of number and limit; "" for a count
    rows      of the scenario, those that must be measured
    """

    scenario: str
    name: str
    title: str
    most: float
    unit: str = ""
    rows: tuple[str, ...] = ()
    guarded: bool = True

    @property
    def said(self) -> str:
        """The limit itself."""
        return f"≤ {self.most:g} {self.unit}".rstrip()

    def is_met(self, number: float) -> bool:
        """Whether a number keeps to the limit."""
        return number <= self.most

    def is_held(self, number: float) -> bool:
        """Whether a number keeps to the limit, or nearly so."""
        return number <= self.most * SLACK


BARS = (
    Bar("get", DO_OFF, REQUESTS, 0.30, aim=0.20),
    Bar("get", DO_OFF, URLLIB3, 1.0),
    Bar("get", DO_ON, REQUESTS, 0.42, aim=0.30),
    Bar("get", DO_ON, OTEL, 0.36, guarded=False),
    Bar("get", DO_ON, HTTPX_TRACE, 0.80, guarded=False),
    Bar("get", SESSION, REQUESTS, 0.60),
    Bar("post", DO_OFF, REQUESTS, 0.30),
    Bar("urls", DO_OFF, REQUESTS, 0.33),
    Bar("tls-new", DO_ON, REQUESTS, 0.25),
    Bar("tls-new", DO_OFF, URLLIB3, 1.05),
    Bar("tls-new", DO_ON, URLLIB3, 1.10),
    Bar("download", DO_ON, REQUESTS, 1.0),
    Bar("upload", DO_ON, REQUESTS, 1.0),
    Bar("threads", DO_OFF, REQUESTS, 2.5, at_least=True),
    Bar("import", IMPORT_CLIENT, IMPORT_REQUESTS, 1.25),
    Bar("import", MAKE_CLIENT, IMPORT_REQUESTS, 1.25),
)

LIMITS = (
    Limit(
        "post",
        "segments",
        "segments that a POST of 1 kB JSON leaves in, debug off",
        1,
        rows=(DO_OFF,),
    ),
    Limit("leftovers", "descriptors", "descriptors left by 1,000 clients, made and closed", 0),
    Limit("leftovers", "threads", "threads left by them", 0),
    # Caches of Python and of the libraries breathe by a few kB, however many clients there were.
    Limit("leftovers", "held", "memory left by them", 64, "kB"),
    Limit(
        "memory",
        "growth",
        "memory after 1,000,000 requests less that after 10,000, debug on",
        1.0,
        "MB",
        guarded=False,
    ),
)
