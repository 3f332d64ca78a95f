"""A recorder that notes headers too: what a rule of the flag with the level ``headers`` asks for.

Apart from the usual one, which every traced call pays for. What a value may show is decided by
``redaction``, as everywhere; no rule can change that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from tracedclient.recorder import Recorder
from tracedclient.redaction import redact_headers

if TYPE_CHECKING:
    from tracedclient import httptrace
    from tracedclient.trace.model import Attempt, Exchange, TraceResult


class _Noted(NamedTuple):
    sent: list[tuple[str, str]]
    received: list[tuple[str, str]]


class HeaderRecorder(Recorder):
    """Puts the headers of each exchange into its record."""

    takes_notes = False

    def __init__(self, *args: Any, **known: Any) -> None:
        super().__init__(*args, **known)
        self._noted: list[_Noted] = []

    def exchange_start(self, info: httptrace.ExchangeStartInfo) -> None:
        super().exchange_start(info)
        self._noted.append(_Noted([], []))

    def wrote_header_field(self, info: httptrace.WroteHeaderFieldInfo) -> None:
        self._noted[-1].sent.extend((info.key, value) for value in info.values)

    def response_head(self, info: httptrace.ResponseHeadInfo) -> None:
        super().response_head(info)
        self._noted[-1].received.extend(info.headers)

    def _summarised(self) -> TraceResult:
        result = super()._summarised()
        noted = iter(self._noted)
        attempts = tuple(_with_headers(attempt, noted) for attempt in result.attempts)
        return replace(result, attempts=attempts)


def _with_headers(attempt: Attempt, noted: Any) -> Attempt:
    # Exchanges begin one after the other, and are recorded in that order.
    exchanges = tuple(_showing(e, next(noted)) for e in attempt.exchanges)
    return replace(attempt, exchanges=exchanges)


def _showing(exchange: Exchange, noted: _Noted) -> Exchange:
    return replace(
        exchange,
        request_headers=redact_headers(noted.sent) or None,
        response_headers=redact_headers(noted.received) or None,
    )
