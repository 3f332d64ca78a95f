"""``python -m benchmarks.report``: what ``tracedclient report`` of a gigabyte costs, next to DuckDB alone.

Each row is a process of its own, its start included, with the file in the page cache. DuckDB alone
reads the same fields into a table and asks the same of it: percentiles of every phase by host,
calls, errors and percentiles over time, verdicts, and the ids of the slowest.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tracedclient.trace.model import (
    DNS,
    PHASES,
    SCHEMA,
    TLS,
    Attempt,
    Connect,
    Connection,
    Event,
    Exchange,
    Timings,
    TraceResult,
)
from tracedclient.trace.schema import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGAN = datetime(2026, 11, 20, 22, tzinfo=timezone.utc)
_HOSTS = ("payments.internal", "stock.internal", "users.internal", "api.partner.example")
_TEMPLATES = 400
_TIME = re.compile(rb"@(\d+)@")
_ID = b"#id#"
_INCIDENT = (0.45, 0.75)
"""Which part of the time the first host is in trouble."""
_MEASURED = ("duration", *PHASES)

_ALONE = """
import sys, duckdb
con = duckdb.connect(config={"memory_limit": "512MB", "temp_directory": sys.argv[2]})
con.execute("SET preserve_insertion_order = false")
con.execute("SET enable_progress_bar = false")
columns = {name: "VARCHAR" for name in (
    "schema", "trace_id", "outcome", "verdict_culprit", "started_at", "server_address")}
columns |= {name: "DOUBLE" for name in MEASURED} | {"retry_count": "BIGINT"}
con.execute(f\"\"\"CREATE TEMP TABLE calls AS
SELECT * EXCLUDE (started_at), CAST(started_at AS TIMESTAMP) AS began
FROM read_json(?, format = 'newline_delimited', ignore_errors = true, columns = {columns})
WHERE schema = 'tracedclient.trace/1'\"\"\", [sys.argv[1]])
shares = ", ".join(f"quantile_cont({name}, [0.5, 0.95, 0.99])" for name in MEASURED)
for query in (
    f"SELECT server_address, count(*), count(*) FILTER (outcome <> 'ok'), {shares}"
    " FROM calls GROUP BY ALL",
    "SELECT time_bucket(INTERVAL 30 SECONDS, began) AS slice, count(*),"
    " count(*) FILTER (outcome <> 'ok'), count(*) FILTER (retry_count > 0),"
    " quantile_cont(duration_ms, [0.5, 0.95]) FROM calls GROUP BY slice",
    "SELECT verdict_culprit, outcome, count(*) FROM calls GROUP BY ALL",
    "SELECT trace_id FROM calls ORDER BY duration_ms DESC LIMIT 100",
):
    con.execute(query).fetchall()
""".replace("MEASURED", repr(tuple(f"{name}_ms" for name in _MEASURED)))


def main() -> None:
    """Measure, and print a table."""
    options = _parser().parse_args()
    if options.write:
        write_log(Path(options.write), options.megabytes * 1_000_000)
        return
    with tempfile.TemporaryDirectory(prefix="benchmark-report-") as directory:
        log = Path(options.log or Path(directory) / "app.log")
        if not options.log:
            write_log(log, options.megabytes * 1_000_000)
        _print(log, _measured(log, Path(directory), options.runs))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.report", description=__doc__)
    add = parser.add_argument
    add("--megabytes", type=int, default=1000, metavar="N", help="size of the log (%(default)s)")
    add("--runs", type=int, default=5, metavar="N", help="of each row, in turns (%(default)s)")
    add("--log", metavar="FILE", help="measure on this log, not on one that is made up")
    add("--write", metavar="FILE", help="only write such a log, with an incident in it")
    return parser


def _measured(log: Path, directory: Path, runs: int) -> dict[str, list[tuple[float, float, float]]]:
    report = [sys.executable, "-m", "tracedclient", "report", str(log), "-o"]
    rows = {
        "DuckDB alone": [sys.executable, "-c", _ALONE, str(log), str(directory)],
        "report, by DuckDB": [*report, str(directory / "duck.html"), "--engine", "duckdb"],
        "report, by Python": [*report, str(directory / "python.html"), "--engine", "python"],
    }
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in rows}
    # In turns, so that what else the machine does is shared out.
    for _ in range(runs):
        for name, command in rows.items():
            found[name].append(_run(command))
    return found


def _run(command: list[str]) -> tuple[float, float, float]:
    """Return seconds, seconds of CPU, and the most memory in MB."""
    began = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"exit code {os.waitstatus_to_exitcode(status)}: {command}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def _print(log: Path, found: dict[str, list[tuple[float, float, float]]]) -> None:
    runs = len(found["DuckDB alone"])
    print(f"{log.stat().st_size / 1e6:.0f} MB, medians of {runs} runs; ratio: median of the turns'")
    print(f"{'':20}{'s':>8}{'ratio':>8}{'CPU s':>8}{'MB':>8}")
    alone = [seconds for seconds, *_ in found["DuckDB alone"]]
    for name, measured in found.items():
        seconds, cpu, memory = (median(column) for column in zip(*measured, strict=True))
        ratio = median(one[0] / base for one, base in zip(measured, alone, strict=True))
        print(f"{name:20}{seconds:8.2f}{ratio:8.2f}{cpu:8.2f}{memory:8.0f}")


def write_log(path: Path, size: int) -> None:
    """Write about ``size`` bytes: traces of four hosts, one of them in trouble for a while."""
    with path.open("wb") as file:
        written = 0
        for line in _lines(size):
            file.write(line)
            written += len(line)
            if written >= size:
                return


def _lines(size: int) -> Iterator[bytes]:
    rnd = random.Random(20261120)
    well = [_template(rnd, trouble=False) for _ in range(_TEMPLATES)]
    ill = [_template(rnd, trouble=True) for _ in range(_TEMPLATES)]
    expected = size * 4 // (5 * len(well[0].line))
    # 40 minutes, however many lines there are.
    step_us = 2_400_000_000 // max(1, expected)
    number = 0
    while True:
        trouble = _INCIDENT[0] < number / expected < _INCIDENT[1]
        template = rnd.choice(ill if trouble and rnd.random() < 0.4 else well)
        trace_id = f"{rnd.getrandbits(128):032x}".encode()
        # Lines are written when calls end.
        yield _filled(template.line, number * step_us - template.took_us, trace_id)
        if number % 4 == 0:
            yield b'{"timestamp": "%s", "event": "order.created"}\n' % _at(number * step_us)
        number += 1


def _filled(template: bytes, began_us: int, trace_id: bytes) -> bytes:
    line = _TIME.sub(lambda found: _at(began_us + int(found[1])), template)
    return line.replace(_ID, trace_id)


def _at(us: int) -> bytes:
    moment = _BEGAN + timedelta(microseconds=us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode()


class _Template(NamedTuple):
    line: bytes
    took_us: int


def _template(rnd: random.Random, *, trouble: bool) -> _Template:
    host = _HOSTS[0] if trouble else rnd.choice(_HOSTS)
    wait = rnd.lognormvariate(6.2 if trouble else 3.2, 0.6)
    failed = trouble and rnd.random() < 0.6
    exchanges = [_exchange(rnd, host, wait, 503 if failed or retried else 200, first=retried)
                 for retried in ((True, False) if trouble else (False,))]  # fmt: skip
    attempts, began = [], 0.0
    for number, one in enumerate(exchanges, start=1):
        again = number < len(exchanges)
        attempts.append(_attempt(one, number, began, again=again))
        began += one.duration_ms + (attempts[-1].sleep_ms or 0.0)
    result = _result(tuple(attempts), host, round(began, 3), failed=failed)
    return _Template(to_json(result) + b"\n", round(began * 1000))


def _attempt(one: Exchange, number: int, began: float, *, again: bool) -> Attempt:

    placed = msgspec.json.decode(
        _TIME.sub(
            lambda found: b"@%d@" % (int(found[1]) + round(began * 1000)),
            msgspec.json.encode(one),
        ),
        type=Exchange,
    )
    return Attempt(
        number=number,
        started_at=placed.started_at,
        duration_ms=one.duration_ms,
        status=one.status,
        retry=again,
        reason=f"status {one.status}" if again else None,
        sleep_ms=137.5 if again else None,
        exchanges=(placed,),
    )


def _exchange(rnd: random.Random, host: str, wait: float, status: int, *, first: bool) -> Exchange:
    new = first or rnd.random() < 0.15
    ms = Timings(
        dns=round(rnd.lognormvariate(0.5, 0.6), 3) if new else None,
        connect=round(rnd.lognormvariate(1.2, 0.4), 3) if new else None,
        tls=round(rnd.lognormvariate(2.3, 0.3), 3) if new else None,
        send=round(rnd.uniform(0.05, 0.3), 3),
        wait=round(wait, 3),
        receive=round(rnd.uniform(0.2, 4), 3),
        unaccounted=0.4,
    )
    took = {phase: getattr(ms, phase) or 0.0 for phase in PHASES}
    hooks = ("get_conn", "got_conn", "wrote_headers", "wrote_request", "got_first_response_byte")
    address = f"10.12.{_HOSTS.index(host)}.9:443"
    return Exchange(
        method="GET",
        url=f"https://{host}/v1/things/{rnd.randrange(10**6)}",
        started_at="@0@",
        duration_ms=round(sum(took.values()) + 0.4, 3),
        status=status,
        http_version="1.1",
        ms=ms,
        connection=Connection(id=rnd.randrange(50), reused=not new, age_ms=120.5, uses=3,
                              local="10.0.0.3:40512", remote=address, returned=True),
        dns=DNS(host=host, addrs=(address[:-4],)) if new else None,
        connects=(Connect(addr=address, ms=took["connect"]),) if new else (),
        tls=(TLS(server_name=host, version="TLSv1.3", verified=True),) if new else (),
        bytes_sent=311, writes=1, bytes_received=1893, reads=2, cpu_ms=0.5, body_complete=True,
        events=tuple(Event(event=hook, at=f"@{index * 40}@") for index, hook in enumerate(hooks)),
    )  # fmt: skip


def _result(attempts: tuple[Attempt, ...], host: str, took: float, *, failed: bool) -> TraceResult:
    last = attempts[-1].exchanges[0]
    sums: dict[str, Any] = {
        f"{phase}_ms": round(sum(getattr(one.exchanges[0].ms, phase) or 0 for one in attempts), 3)
        for phase in PHASES
        if any(getattr(one.exchanges[0].ms, phase) is not None for one in attempts)
    }
    slow = len(attempts) > 1
    said = f"{host} took {last.ms.wait:.0f} ms to answer; the network's phases were short"
    return TraceResult(
        schema=SCHEMA,
        trace_id=_ID.decode(),
        outcome="http_error" if failed else "ok",
        verdict_culprit="server" if slow else "none",
        verdict_sentence=said if slow else None,
        service_name="orders",
        http_request_method="GET",
        url_full=last.url,
        server_address=host,
        server_port=443,
        http_response_status_code=last.status,
        started_at="@0@",
        duration_ms=took,
        attempt_count=len(attempts),
        retry_count=len(attempts) - 1,
        redirect_count=0,
        retry_sleep_ms=137.5 if slow else None,
        unaccounted_ms=0.4 * len(attempts),
        slowest_phase="wait",
        conn_reused=last.connection.reused if last.connection else None,
        host_name="orders-7f9c",
        process_pid=17,
        attempts=attempts,
        **sums,
    )


if __name__ == "__main__":
    main()
