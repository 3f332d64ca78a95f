"""How long a flip takes: `python -m sources.propagation [--installed] [NAME…]`, from tests/.

Prints a table for docs/sources.md. Each number is the time from the operator's hand leaving the
document to the flag's change in a process with the settings that users get.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sources.rigs import ENTRIES
from sources.watched import Watched
from tracedclient.debug import FlagUpdater

if TYPE_CHECKING:
    from collections.abc import Callable

    from sources.rig import Rig

FLIPS = 20
INTERVAL = 1.5


def _until(holds: Callable[[], bool]) -> float:
    began = time.perf_counter()
    pause = threading.Event()
    while not holds():
        if time.perf_counter() - began > 30:
            raise TimeoutError("the flip was not seen within 30 s")
        pause.wait(0.0005)
    return time.perf_counter() - began


def measure(rig: Rig) -> list[float]:
    """Seconds of each flip, at moments that have nothing to do with the looks at it."""
    rig.publish(b"false")
    source = Watched(rig.source())
    took = []
    with closing(FlagUpdater(source, interval=INTERVAL, settle=0)) as flag:
        if not flag.wait_ready(10):
            raise TimeoutError(f"{rig.name}: no contact within 10 s")
        for number in range(FLIPS):
            threading.Event().wait(random.uniform(0, INTERVAL))
            if rig.pushed:
                _until(lambda: source.is_held(0.1))
            on = number % 2 == 0
            rig.publish(b"true" if on else b"false")
            took.append(_until(lambda on=on: flag.is_on() == on))
    return took


def main(arguments: list[str]) -> None:
    """Measure and print."""
    with_installed = "--installed" in arguments
    names = set(arguments) - {"--installed"}
    print("| source | the server tells | median | slowest of 20 |")
    print("|---|---|---|---|")
    for entry in ENTRIES:
        if entry.name in names or (not names and (with_installed or not entry.installed)):
            with (
                tempfile.TemporaryDirectory() as directory,
                closing(entry.load()(Path(directory))) as rig,
            ):
                took = measure(rig)
                pushed = "yes" if rig.pushed else "no"
                middle, slowest = (f"{seconds:.3f} s" for seconds in _summary(took))
                print(f"| {rig.name} | {pushed} | {middle} | {slowest} |", flush=True)


def _summary(took: list[float]) -> tuple[float, float]:
    return statistics.median(took), max(took)


if __name__ == "__main__":
    main(sys.argv[1:])
