"""``python -m benchmarks.flag``: what it costs to ask the flag about one call."""

from __future__ import annotations

import json
import statistics
import time
import timeit
from typing import TYPE_CHECKING

from benchmarks.machine import load
from tracedclient.debug import FlagSource, FlagUpdater
from tracedclient.debug.source import Document
from tracedclient.debug.target import target

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

_ROUNDS = 15
_CALLS = 20_000
_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
_URL = "https://user@api.pay.com:8443/v1/charges/42?card=1"


class _Fixed(FlagSource):
    name = "fixed"
    immediate = True

    def __init__(self, body: bytes) -> None:
        self._body = body

    def fetch(self, previous: str | None, *, wait: float, cancel: threading.Event) -> Document:  # noqa: ARG002
        return Document(self._body, "r1")


def main() -> None:
    """Print one line for each kind of document and call."""
    for name, (body, host) in _cases().items():
        _print(name, _asking(body, host))
    quiet = FlagUpdater(_Fixed(b"false")).is_quiet
    _print("off, as a client asks", quiet)
    _print("host and path of the URL, when the flag is on", lambda: target(_URL))
    print(f"{_ROUNDS} rounds of {_CALLS:,} calls; load {load()}")


def _cases() -> dict[str, tuple[bytes, str]]:
    rules = [
        {
            "id": f"r{n}",
            "hosts": [f"*.svc{n}.internal", f"api{n}.pay.com", f"*pay{n}*"],
            "methods": ["POST"],
            "paths": ["/v1/charge*"],
            "emit": "errors_or_slow",
            "slow_ms": 500,
        }
        for n in range(5)
    ]
    five = _document(rules=rules)
    return {
        "off": (b"false", "api.test"),
        "on, without rules": (b"true", "api.test"),
        "five rules with globs, none matches": (five, "other.internal"),
        "five rules with globs, the first matches": (five, "x.svc0.internal"),
        "five rules with globs, the last matches": (five, "x.svc4.internal"),
        "one rule, 50 percent": (_document(rules=[{"id": "half", "percent": 50}]), "api.test"),
    }


def _document(**fields: object) -> bytes:
    until = time.time() + 3600
    return json.dumps({"schema": 1, "enabled": True, "until": until, **fields}).encode()


def _asking(body: bytes, host: str) -> Callable[[], object]:
    decide = FlagUpdater(_Fixed(body)).decide
    return lambda: decide("POST", host, "/v1/charges/42", _TRACE_ID)


def _print(name: str, ask: Callable[[], object]) -> None:
    empty = min(timeit.repeat(lambda: None, number=_CALLS, repeat=_ROUNDS))
    rounds = [(taken - empty) / _CALLS * 1e6 for taken in _rounds(ask)]
    print(f"{name:44} {min(rounds):5.3f} µs  (median {statistics.median(rounds):5.3f})")


def _rounds(ask: Callable[[], object]) -> list[float]:
    ask()
    return timeit.repeat(ask, number=_CALLS, repeat=_ROUNDS)


if __name__ == "__main__":
    main()
