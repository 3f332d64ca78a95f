"""What this process may use: open files, and CPU time in its container."""

from __future__ import annotations

import re
import resource
from pathlib import Path
from typing import TYPE_CHECKING

from tracedclient.cli.doctor.finding import attention, good, problem
from tracedclient.host import own_stat_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.doctor.finding import Finding

_FEW_FILES, _ENOUGH_FILES = 256, 4096
_SOME, _MUCH = 0.01, 0.25
_COUNT = re.compile(
    r"^(nr_periods|nr_throttled|throttled_usec|throttled_time) (\d+)$", re.MULTILINE
)


def check_files(limits: tuple[int, int] | None = None) -> Finding:
    """Judge how many files may be open; each connection is one. ``limits``: soft, hard."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE) if limits is None else limits
    facts = {"soft": soft, "hard": hard}
    if soft == resource.RLIM_INFINITY or soft >= _ENOUGH_FILES:
        shown = "any number of" if soft == resource.RLIM_INFINITY else f"{soft:,}"
        return good("files", f"{shown} files may be open at a time", **facts)
    said = f"only {soft} files may be open at a time, and each connection is one"
    top = "" if hard == resource.RLIM_INFINITY else f" (at most {hard} without root)"
    advice = f"raise it for the service: LimitNOFILE= or `ulimit -n {_ENOUGH_FILES}`{top}"
    found = problem if soft < _FEW_FILES else attention
    return found("files", said, advice, **facts)


def check_cpu(stat_files: Iterable[str] | None = None) -> Iterator[Finding]:
    """Judge how often the CPU limit of this cgroup held it back. Says nothing where none is told.

    ``stat_files``: where ``cpu.stat`` may be, best first.
    """
    for path in own_stat_files() if stat_files is None else stat_files:
        try:
            counts = {key: int(n) for key, n in _COUNT.findall(Path(path).read_text("ascii"))}
        except (OSError, UnicodeDecodeError):
            continue
        if "nr_periods" in counts:
            yield _throttling(counts)
            return


def _throttling(counts: dict[str, int]) -> Finding:
    periods, held = counts["nr_periods"], counts.get("nr_throttled", 0)
    if not periods:
        return good("cpu", "no CPU limit holds this container back", **counts)
    share = held / periods
    said = f"the CPU limit held this container back in {share:.1%} of its periods"
    if share < _SOME:
        return good("cpu", said, **counts)
    found = problem if share > _MUCH else attention
    return found("cpu", said, "raise the CPU limit: servers seem slow that are not", **counts)
