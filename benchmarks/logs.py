"""``python -m benchmarks.logs``: what finding an id in a gigabyte of log costs, next to ``grep -F``.

Writes a log of made-up calls, in order of time, then runs each command in turn, from pipe to pipe,
so many times. The file is in the page cache: it is read once before.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.machine import load, machine
from tracedclient.testing import make_trace_result
from tracedclient.trace.schema import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

WANTED = "5f3c0d9e7a1b4862b0c4d5e6f7a8b9c0"
BEGAN = 1_795_000_000
PER_SECOND = 70

MAX_TO_GREP = 1.5
"""The bar: the search takes at most so many times what grep takes."""
MAX_AROUND_S = 0.3
"""The bar: so long takes what reads only a window of time."""
MAX_START_S = 0.060
"""The bar: so much longer than ``python -c pass`` takes a search of nothing."""

_TEMPLATES = 400
_ID, _TIME = "%ID%", "%TIME%"
_AT = 0.7
"""Where in the file the wanted lines are."""


class Log(NamedTuple):
    path: Path
    lines: int
    wanted_at: str
    """When the wanted lines were written."""


class Row(NamedTuple):
    name: str
    command: list[str]


def main() -> None:
    """Measure, print the table, and end with 1 when a bar is missed."""
    options = _parser().parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        log = generate(Path(directory) / "app.log", options.megabytes * 1_000_000)
        empty = Path(directory) / "empty.log"
        empty.write_bytes(b"")
        seconds = measure(_rows(log, empty), options.runs)
        sys.stdout.writelines(_table(seconds, log))
    sys.exit(any(not met for _, met in _bars(seconds)))


def generate(path: Path, size: int) -> Log:
    """Write a log of about ``size`` bytes to ``path``: three traces to one line of an application."""
    chance = random.Random(7)
    templates = [_template(chance, number) for number in range(_TEMPLATES)]
    written = lines = 0
    wanted_at = ""
    with path.open("wb") as file:
        while written < size:
            stamp = _stamp(lines)
            trace_id = f"{chance.getrandbits(128):032x}"
            if not wanted_at and written > _AT * size:
                wanted_at, trace_id = stamp, WANTED
            line = chance.choice(templates).replace(_TIME, stamp).replace(_ID, trace_id)
            written += file.write(line.encode())
            lines += line.count("\n")
    return Log(path, lines, wanted_at)


def measure(rows: list[Row], runs: int) -> dict[str, list[float]]:
    """Return the seconds of every run; run *n* of all rows comes before run *n + 1* of any."""
    seconds: dict[str, list[float]] = {row.name: [] for row in rows}
    for run in range(runs + 1):
        for row in rows:
            took = _seconds(row.command)
            # The first run fills the caches.
            if run:
                seconds[row.name].append(took)
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.logs", description=__doc__)
    add = parser.add_argument
    add("--megabytes", type=int, default=1000, metavar="N", help="of the log (%(default)s)")
    add("--runs", type=int, default=9, metavar="N", help="of each command (%(default)s)")
    add("--directory", type=Path, metavar="DIRECTORY", help="where the log is written")
    return parser


def _rows(log: Log, empty: Path) -> list[Row]:
    logs = [sys.executable, "-m", "tracedclient", "logs", WANTED]
    path = str(log.path)
    return [
        Row("grep -F", ["grep", "-F", WANTED, path]),
        Row("logs --raw", [*logs, path, "--raw"]),
        Row("logs", [*logs, path]),
        Row("logs --around", [*logs, path, "--around", f"{log.wanted_at}±30s"]),
        Row("python -c pass", [sys.executable, "-c", "pass"]),
        Row("logs, an empty file", [*logs, str(empty)]),
    ]


def _seconds(command: list[str]) -> float:
    # grep is at its fastest in this locale.
    environment = {**os.environ, "LC_ALL": "C"}
    began = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, env=environment)
    took = time.perf_counter() - began
    empty = command[-1].endswith("empty.log")
    if done.returncode != empty or not (done.stdout or empty or "pass" in command):
        raise RuntimeError(f"{command} failed: {done.returncode} {done.stderr.decode()}")
    return took


def _template(chance: random.Random, number: int) -> str:
    status = chance.choice([200, 200, 200, 404, 503])
    trace = make_trace_result(
        trace_id=_ID,
        service_name=f"service-{number % 12}",
        url_full=f"https://api-{number % 40}.example.org/v1/orders/{number}",
        http_response_status_code=status,
        duration_ms=round(chance.expovariate(1 / 120), 3),
    )
    head = {"timestamp": _TIME, "level": "info", "event": "http.client.trace"}
    line = json.dumps(head)[:-1] + "," + to_json(trace)[1:-1].decode() + ',"logger":"t"}\n'
    if number % 3:
        return line
    own = {**head, "event": "order.created", "trace_id": _ID, "order_id": number}
    return json.dumps(own) + "\n" + line


def _stamp(lines: int) -> str:
    seconds, rest = divmod(lines, PER_SECOND)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(BEGAN + seconds))
    return f"{moment}.{rest * 10_000:06d}Z"


def _bars(seconds: dict[str, list[float]]) -> Iterator[tuple[str, bool]]:
    grep, raw, around, nothing, empty = (
        statistics.median(seconds[name])
        for name in (
            "grep -F",
            "logs --raw",
            "logs --around",
            "python -c pass",
            "logs, an empty file",
        )
    )
    yield f"search: {raw / grep:.2f} of grep -F (bar {MAX_TO_GREP})", raw <= MAX_TO_GREP * grep
    yield f"--around: {around:.3f} s (bar {MAX_AROUND_S})", around <= MAX_AROUND_S
    start = empty - nothing
    yield f"start: {start * 1000:.0f} ms (bar {MAX_START_S * 1000:.0f})", start <= MAX_START_S


def _table(seconds: dict[str, list[float]], log: Log) -> Iterator[str]:
    size = log.path.stat().st_size
    yield f"{size / 1e9:.2f} GB, {log.lines} lines; {machine()}; load {load()}\n\n"
    yield "| command | median s | best s |\n|---|---|---|\n"
    for name, each in seconds.items():
        yield f"| {name} | {statistics.median(each):.3f} | {min(each):.3f} |\n"
    yield "\n"
    for text, met in _bars(seconds):
        yield f"{'met   ' if met else 'MISSED'} {text}\n"


if __name__ == "__main__":
    main()
