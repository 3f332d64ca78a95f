"""A profile → what each part of a request costs, as a share of the whole. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.flame import Frame

PARTS = {
    "sent and read, in the kernel for the most part": (
        "Bounded.send_within",
        "Bounded.recv",
        "read_first",
    ),
    "the request made ready (`prepare`)": ("prepare (tracedclient/_prepare.py)",),
    "its bytes (`request_head`)": ("plain_request",),
    "the answer's head read (`response_head`)": ("response_head",),
    "the `Response` made": ("whole_response",),
    "a connection taken from the pool and put back": (
        "_TracedPool.lend",
        "_TracedPool._put_conn",
    ),
    "what the kernel knows of the connection": ("Observed.watch_kernel", "Observed.kernel_facts"),
    "the hooks told, and what they note": ("_fan_out.<locals>.call_each",),
    "the line made of what was noted": ("Recorder.end", "Recorder.usual_line"),
    "the line written (structlog's context, logging, the file)": ("JsonLogSink.emit_line",),
}
"""Each part, and the functions beneath which its time is. A sample counts for the outermost."""

REST = "policy and glue: deadline, budget, decision, everything between"


def shares(root: Frame) -> dict[str, float]:
    """Return the share of each part in the samples of ``root``, the rest last."""
    samples: Counter[str] = Counter()
    _count(root, samples)
    found = {part: samples[part] / root.samples for part in PARTS if samples[part]}
    return {**found, REST: 1 - sum(found.values())}


def _count(frame: Frame, samples: Counter[str]) -> None:
    for callee in frame.callees.values():
        part = _part_of(callee.name)
        if part is None:
            _count(callee, samples)
        else:
            samples[part] += callee.samples


def _part_of(name: str) -> str | None:
    return next((part for part, begins in PARTS.items() if name.startswith(begins)), None)


def table(off: Mapping[str, float], on: Mapping[str, float]) -> str:
    """Return both as one Markdown table."""
    parts = [part for part in [*PARTS, REST] if part in off or part in on]
    rows = [f"| {part} | {_percent(off.get(part))} | {_percent(on.get(part))} |" for part in parts]
    return "\n".join(["| part | debug off | debug on |", "|---|---:|---:|", *rows])


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"
