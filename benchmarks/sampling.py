"""Which Python functions burn CPU time, by the kernel's profiling timer.

``ITIMER_PROF`` counts the CPU time of the process, system calls included and waiting not. Samplers
that look from outside count a short wait for the server as work, which a keep-alive GET is full of.
Time in C counts for the Python function that called it. The timer ticks as often as the kernel's
clock does, 100 to 1,000 times a second.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

_EVERY = 0.001


def sampled(work: Callable[[], object]) -> list[str]:
    """Do ``work`` and return the stacks that were seen, folded: "outer;inner count".

    Works in the main thread only.
    """
    seen: Counter[tuple[CodeType, ...]] = Counter()

    def look(signum: int, frame: FrameType | None) -> None:
        del signum
        stack = []
        while frame is not None:
            stack.append(frame.f_code)
            frame = frame.f_back
        seen[tuple(reversed(stack))] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    folded: Counter[str] = Counter()
    for stack, count in seen.items():
        folded[";".join(map(_name, stack))] += count
    return [f"{stack} {count}" for stack, count in sorted(folded.items())]


def _name(code: CodeType) -> str:
    """A function's name and file; the file as it is imported, not where it is installed."""
    # Python 3.10 knows only the short name.
    function = getattr(code, "co_qualname", code.co_name)
    path = Path(code.co_filename)
    within = [Path(entry) for entry in sys.path if entry and path.is_relative_to(entry)]
    longest = max(within, key=lambda entry: len(entry.parts), default=path.parent)
    return f"{function} ({path.relative_to(longest)})"
