"""Was it us? The CPU time of this thread, and how long the kernel kept this process from running.

A process that is starved or throttled looks exactly like a slow server to itself. Two samples, one
at either end of a wait, tell them apart.
"""

from __future__ import annotations

import os
import re
import time
import weakref
from functools import lru_cache
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable


class HostSample(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Two counters; only the difference of two samples, taken in one thread, means anything."""

    thread_cpu_ns: int
    """Nanoseconds of CPU this thread has used, in the kernel too."""
    throttled_us: int | None
    """Microseconds for which the CPU limit of this process's cgroup held it back. Summed over
    CPUs, so that it may grow faster than the clock. ``None`` where it cannot be read, or was not."""


_SHORT_NS = 5_000_000
"""A wait that nobody calls slow, whoever was held back in it."""
_FRESH_NS = 1_000_000
_LONG_AGO = -_FRESH_NS


def sample_before(now_ns: int) -> HostSample:
    """Return the counters of a wait's beginning, at ``now_ns`` of ``time.perf_counter_ns``. Never raises.

    The first call opens one file, which stays open as long as the process lives. The throttled time may
    be that of up to 1 ms before, see ``ThrottleCounter.lately_us``.
    """
    return HostSample(
        thread_cpu_ns=time.thread_time_ns(), throttled_us=_own_cgroup.lately_us(now_ns)
    )


def sample_after(began_ns: int, now_ns: int) -> HostSample:
    """Return the counters of a wait's end, at ``now_ns``; without the throttled time for a wait that was
    short.

    In less than 5 ms, no thread was held back for longer than that, which makes nobody slow.
    """
    if now_ns - began_ns >= _SHORT_NS:
        throttled = _own_cgroup.now_us(now_ns)
        return HostSample(thread_cpu_ns=time.thread_time_ns(), throttled_us=throttled)
    # To read the file takes longer than all else here; and what others were held back for before is
    # counted when it is over, so that so short a wait would be told what is not its own.
    return HostSample(thread_cpu_ns=time.thread_time_ns(), throttled_us=None)


class ThrottleCounter:
    """The throttled time out of the first of ``find()``'s files that tells it.

    Safe to use from several threads and after a fork. A file that fails once is not tried again.
    """

    def __init__(self, find: Callable[[], list[str]]) -> None:
        self._find = find
        self._kept: dict[str, int | None] = {}
        self._lately: tuple[int, int | None] | None = (_LONG_AGO, None)
        """When it was read, and what; ``None`` once it was seen to grow."""

    def lately_us(self, now_ns: int) -> int | None:
        """Return microseconds that were true less than 1 ms before ``now_ns``, or are now.

        Of one that grows, only those of now: it does so in leaps, each a time that may have been long
        when it ended. So no more than its first leap can be put into a wait that began within 1 ms
        after it; and of one that does not grow, as nearly all, nothing can be told wrongly.
        """
        lately = self._lately
        if lately is None:
            return self.throttled_us()
        read_at, known = lately
        return known if 0 <= now_ns - read_at < _FRESH_NS else self.now_us(now_ns)

    def now_us(self, now_ns: int) -> int | None:
        """Return microseconds as they are now, at ``now_ns``."""
        lately, now = self._lately, self.throttled_us()
        if lately is not None:
            self._lately = (now_ns, now) if lately[1] is None or now == lately[1] else None
        return now

    def throttled_us(self) -> int | None:
        """Return microseconds, or ``None`` where no file tells them."""
        kept = self._kept
        if not kept:
            self._open()
        descriptor = kept["descriptor"]
        if descriptor is None:
            return None
        try:
            # Moves no offset, so that threads and forked processes may share the descriptor.
            throttled = parse_throttled(os.pread(descriptor, 4096, 0))
        except OSError:
            throttled = None
        if throttled is None:
            # Not closed: if others have closed it already, the number may be another file's now.
            self._kept["descriptor"] = None
        return throttled

    def _open(self) -> None:
        opened = _open_first(self._find())
        # Without a lock, which a fork in the middle would leave locked for good in the child.
        first = self._kept.setdefault("descriptor", opened) == opened
        if opened is None:
            return
        if first:
            weakref.finalize(self, os.close, opened).atexit = False
        else:
            os.close(opened)


def _open_first(paths: list[str]) -> int | None:
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        if _tells(descriptor):
            return descriptor
        os.close(descriptor)
    return None


def _tells(descriptor: int) -> bool:
    try:
        return parse_throttled(os.pread(descriptor, 4096, 0)) is not None
    except OSError:
        return False


_THROTTLED = re.compile(rb"^throttled_(?:(usec)|time) (\d+)\n", re.MULTILINE)


# A process that is not held back reads the same bytes each time.
@lru_cache(maxsize=8)
def parse_throttled(stat: bytes) -> int | None:
    """Return the microseconds in a ``cpu.stat``: version 2 counts in them, version 1 in ns."""
    found = _THROTTLED.search(stat)
    if found is None:
        return None
    return int(found[2]) if found[1] else int(found[2]) // 1000


def own_stat_files() -> list[str]:
    """Return where this process's throttled time may stand, best first; nowhere off Linux."""
    try:
        return stat_files(_proc("cgroup"), _proc("mountinfo"))
    except (OSError, ValueError):
        return []


def _proc(name: str) -> str:
    return Path("/proc/self", name).read_text(encoding="utf-8", errors="surrogateescape")


def stat_files(cgroup: str, mountinfo: str) -> list[str]:
    """Return the files to try for a process with these ``/proc/self/cgroup`` and ``mountinfo``.

    ``cpu.stat.local`` (Linux 6.6) comes first: it counts the limits of outer cgroups as well, and
    is cheaper to read. A cgroup without the CPU controller has neither; then its parent counts.
    """
    kind, own = _cpu_cgroup(cgroup)
    if ".." in own.split("/"):
        # Outside of what this cgroup namespace can see.
        return []
    for line in mountinfo.splitlines():
        place = _mounted_at(line, kind, own)
        if place is not None:
            return place
    return []


def _cpu_cgroup(cgroup: str) -> tuple[str, str]:
    """Return the file system's type and the path in it: cgroups(7), ``/proc/[pid]/cgroup``."""
    unified = ".."
    for line in cgroup.splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if "cpu" in controllers.split(","):
            return "cgroup", path
        unified = unified if controllers else path
    return "cgroup2", unified


def _mounted_at(line: str, kind: str, own: str) -> list[str] | None:
    """Return the files below the mount of ``line`` (proc_pid_mountinfo(5)) if it shows ``own``."""
    mount, _, filesystem = line.partition(" - ")
    root, point = (_unescape(field) for field in mount.split(" ")[3:5])
    found, _, options = filesystem.split(" ")[:3]
    if found != kind or (kind == "cgroup" and "cpu" not in options.split(",")):
        return None
    if not PurePosixPath(own).is_relative_to(root):
        return None
    innermost = PurePosixPath(point) / PurePosixPath(own).relative_to(root)
    visible = takewhile(lambda d: d.is_relative_to(point), (innermost, *innermost.parents))
    return [f"{d}/{name}" for d in visible for name in ("cpu.stat.local", "cpu.stat")]


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)


_own_cgroup = ThrottleCounter(own_stat_files)
