"""What a hung process is waiting for: its unfinished calls, on a signal."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, TextIO

from tracedclient._open_calls import of_every_client

if TYPE_CHECKING:
    from types import FrameType

    from tracedclient.inflight import InFlight


def dump_on_signal(signum: int | None = None, *, file: TextIO | None = None) -> None:
    """Print every unfinished call of every ``HTTPClient`` when this process gets ``signum``.

    ``signum`` is ``SIGUSR1`` unless given, ``file`` is ``sys.stderr`` at that moment. A handler
    that was there before is called afterwards.

    Raises ``ValueError`` outside of the main thread, as ``signal.signal`` does.
    """
    number = signal.SIGUSR1 if signum is None else signum
    before = signal.getsignal(number)

    def handle(signum: int, frame: FrameType | None) -> None:
        dump(file)
        if callable(before):
            before(signum, frame)

    signal.signal(number, handle)


def dump(file: TextIO | None = None) -> None:
    """Print every unfinished call of every ``HTTPClient`` of this process, the oldest first."""
    calls = of_every_client()
    out = file or sys.stderr
    print(f"tracedclient: {len(calls)} calls in flight", file=out)
    for call in calls:
        print(f"  {_line(call)}", file=out)
    out.flush()


def _line(call: InFlight) -> str:
    attempt = f" attempt {call.attempt}" if call.attempt > 1 else ""
    return (
        f"{call.age:8.3f} s  {call.phase:<8} {call.method} {call.url}{attempt}"
        f"  trace_id={call.trace_id}"
    )
