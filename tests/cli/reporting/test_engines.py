"""Both engines say the same of the same log."""

import json
from pathlib import Path

import pytest
from report_logs import call, calls, lines, replaced, write

from tracedclient.cli import main
from tracedclient.cli.reading.inputs import inputs
from tracedclient.cli.reading.tally import NOT_NUMBERS
from tracedclient.cli.reading.window import Span
from tracedclient.cli.reporting import duck, streaming
from tracedclient.cli.reporting.calls import epoch
from tracedclient.cli.reporting.locating import Wanted, lines_of
from tracedclient.cli.reporting.progress import Progress
from tracedclient.trace.schema import to_json


def both(*names, by="host", number=100):
    found = list(inputs(names))
    progress = Progress(0)
    return (
        duck.read(found, by, number, progress),
        streaming.read(found, by, number, Span(), progress),
    )


def told(statistics):
    """All that a report says, but for the engine's own name."""
    return {
        "groups": {name: group_of(group) for name, group in statistics.groups.items()},
        "slices": [
            (at, found.calls, found.errors, found.retried, found.durations.counts)
            for at, found in statistics.timeline
        ],
        "slowest": statistics.slowest,
    }


def group_of(group):
    times = {
        name: (found.counts, found.count, found.least, found.most, round(found.total, 3))
        for name, found in group.times.items()
        if found.count
    }
    return group.calls, group.errors, group.retried, group.outcomes, group.culprits, times


@pytest.mark.parametrize("by", ["host", "service", "instance", "method", "outcome", "path"])
def test_duckdb_and_python_say_the_same(tmp_path, by):
    """Counts, percentiles, slices of time and the slowest traces are equal, to the last bucket."""
    log = write(tmp_path / "app.log", calls(500))
    by_duck, by_python = both(log, by=by, number=20)
    assert told(by_duck) == told(by_python)
    assert (by_duck.reading.engine, by_python.reading.engine) == ("DuckDB", "Python")


def test_they_say_the_same_of_several_files(tmp_path):
    """Files are one report, and the slowest come from all of them."""
    made = calls(300)
    for number in range(3):
        write(tmp_path / f"app.{number}.log", made[number * 100 : number * 100 + 100])
    by_duck, by_python = both(str(tmp_path), number=30)
    assert told(by_duck) == told(by_python)
    assert by_duck.whole.calls == 300


def test_traces_are_found_in_a_file_in_no_order_of_time(tmp_path):
    """The slowest are shown whole wherever in the file they are, also many megabytes from their place."""
    long = "x" * 10_000
    far = [call(n, 10.0 + n, every_ms=600_000, error_message=long) for n in range(2400)]
    log = write(tmp_path / "app.log", [*far[1200:], *far[:1200]])
    calls_ = [Wanted("none", far[-1].trace_id, epoch(far[-1].started_at), far[-1].duration_ms)]
    assert lines_of([log], calls_) is None
    by_duck, by_python = both(log, number=40)
    assert told(by_duck) == told(by_python)
    assert [trace.duration_ms for trace in by_duck.slowest[:2]] == [2409.0, 2408.0]


@pytest.mark.parametrize("trace_id", ['a"b\\c', "\u2603", "\x01"])
def test_an_id_that_json_escapes_is_found(tmp_path, trace_id):
    """The slowest call is shown whole also when its id stands in another spelling in the file."""
    odd = replaced(call(100, 9000.0), trace_id=trace_id)
    log = tmp_path / "app.log"
    made = [*map(to_json, calls(100)), json.dumps(json.loads(to_json(odd))).encode()]
    log.write_bytes(b"\n".join(made) + b"\n")
    by_duck, by_python = both(str(log), number=10)
    assert told(by_duck) == told(by_python)
    assert by_duck.slowest[0].trace_id == trace_id


def test_what_is_odd_but_can_be_understood_is_counted(tmp_path):
    """A record with NaN, or a key twice, is a call like any other, and that it is odd is said."""
    nan = to_json(call(1)).replace(b'"wait_ms":40.0', b'"wait_ms":NaN')
    log = write(tmp_path / "app.log", calls(50), nan)
    found = streaming.read(list(inputs([log])), "host", 10, Span(), Progress(0))
    assert found.whole.calls == 51
    assert found.whole.times["wait"].count == 50
    assert list(found.reading.tally.oddities) == [NOT_NUMBERS]


def test_a_line_longer_than_any_of_ours_is_counted_and_not_shown(tmp_path):
    """What is kept to be shown is bounded, whatever a log says."""
    huge = call(50, 9000.0, error_message="x" * 100_000)
    by_duck, by_python = both(write(tmp_path / "app.log", [*calls(50), huge]), number=10)
    for found in (by_duck, by_python):
        assert found.whole.times["duration"].most == 9000.0
        assert all(trace.duration_ms < 9000.0 for trace in found.slowest)


def test_each_verdict_has_its_examples(tmp_path):
    """A fault that ends quickly is shown although many calls were slower."""
    made = [*calls(200), call(200, 0.5, outcome="dns_error", verdict_culprit="dns")]
    by_duck, by_python = both(write(tmp_path / "app.log", made), number=10)
    assert told(by_duck) == told(by_python)
    assert by_duck.slowest[-1].verdict_culprit == "dns"


def test_nothing_is_shown_whole_when_none_is_wanted(tmp_path):
    """With --traces 0 there are only counts."""
    by_duck, by_python = both(write(tmp_path / "app.log", calls(50)), number=0)
    assert by_duck.slowest == by_python.slowest == []


def test_odd_lines_among_good_ones_change_nothing(tmp_path):
    """Text, half lines, later schemas and impossible values are left out by both."""
    good = calls(100)
    odd = [
        b"plain text",
        b"{}",
        b"null",
        to_json(good[0])[:300],
        to_json(replaced(good[0], schema="tracedclient.trace/2")),
        to_json(replaced(good[0], duration_ms=-5.0)),
        to_json(replaced(good[0], started_at="2026-02-30T00:00:00.000000Z")),
        b'{"schema": "tracedclient.trace/1"}',
        b'{"schema": 7}',
    ]
    log = tmp_path / "app.log"
    log.write_bytes(b"\n".join([*lines(good), *odd]) + b"\n")
    found = list(inputs([str(log)]))
    by_python = streaming.read(found, "host", 10, Span(), Progress(0))
    assert by_python.whole.calls == 100
    # The half line is near enough to be seen beforehand: Python reads such files.
    with pytest.raises(duck.Unsuited):
        duck.read(found, "host", 10, Progress(0))


@pytest.mark.parametrize("name", ["app*.log", "app'\".log", "app ; DROP TABLE calls.log"])
def test_no_name_of_a_file_is_read_as_anything_else(tmp_path, name):
    """Quotes, globs and SQL in a file's name name that file."""
    log = write(tmp_path / name, calls(60))
    assert main(["report", log, "--format", "json", "-o", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out").read_text())
    assert report["all"]["calls"] == 60
    assert report["read"]["files"] == [log]


@pytest.mark.parametrize("kind", ["gz", "docker", "cri", "prefix"])
def test_what_duckdb_cannot_read_python_does(tmp_path, kind):
    """Compressed and wrapped logs make the same report as the plain one."""
    made = calls(100)
    wrapped = {
        "docker": lambda line: json.dumps(
            {"log": line.decode() + "\n", "stream": "stdout", "time": "2026-11-20T22:28:00Z"},
            separators=(",", ":"),
        ).encode(),
        "cri": lambda line: b"2026-11-20T22:28:00.0Z stdout F " + line,
        "prefix": lambda line: b"2026-11-20 22:28:00 INFO trace " + line,
    }
    if kind == "gz":
        log = write(tmp_path / "app.log.gz", made)
    else:
        path = tmp_path / "app.log"
        path.write_bytes(b"".join(wrapped[kind](line) + b"\n" for line in lines(made)))
        log = str(path)
    plain = write(tmp_path / "plain.log", made)
    for name in (log, plain):
        assert main(["report", name, "-o", f"{name}.json"]) == 0
    one, other = (json.loads(Path(f"{name}.json").read_text()) for name in (log, plain))
    assert one["read"]["engine"] == "Python"
    assert {**one, "read": 0} == {**other, "read": 0}
