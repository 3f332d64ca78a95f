"""``LineFileHandler``: what logging's own handler does with a file, with fewer steps for a trace."""

from __future__ import annotations

import codecs
import gzip
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_traces import result

from tracedclient import JsonLogSink
from tracedclient.inbound import TraceIdFilter
from tracedclient.sinks import LineFileHandler
from tracedclient.sinks.formatter import JsonLineFormatter
from tracedclient.trace.schema import from_json

LOGGER = logging.getLogger("tracedclient.trace")


def alone(handler):
    """``handler``, which is the only one that traces reach."""
    handler.setFormatter(JsonLineFormatter())
    handler.addFilter(TraceIdFilter())
    LOGGER.handlers, LOGGER.propagate = [handler], False
    LOGGER.setLevel(logging.INFO)
    return handler


@pytest.fixture
def make(tmp_path):
    """``make(**options)``: a handler of the file ``log``, by default one that never looks again."""
    made = []

    def make(kind=LineFileHandler, path=tmp_path / "log", **options):
        options = {"encoding": "utf-8", "look_every": 3600, **options}
        made.append(alone(kind(path, **options)))
        return made[-1]

    yield make
    for handler in made:
        handler.close()


def write(*ids, **facts):
    sink = JsonLogSink()
    for trace_id in ids:
        sink.emit(result(trace_id=trace_id, **facts))


def ids(path):
    """The ids of the traces in a file, each of which is a whole line."""
    text = path.read_text(encoding="utf-8")
    assert text == "" or text.endswith("\n")
    return [from_json(line).trace_id for line in text.splitlines()]


def test_lines_after_a_renaming_are_in_one_file_or_the_other(make, tmp_path):
    """Of the lines written while a log is rotated none is lost: the first go with the old file."""
    make(look_every=0.001)
    write("0", "1")
    (tmp_path / "log").rename(tmp_path / "log.1")
    number = 1
    while not (tmp_path / "log").exists():
        number += 1
        write(str(number))
    write("last")
    found = [*ids(tmp_path / "log.1"), *ids(tmp_path / "log")]
    assert found == [*map(str, range(number + 1)), "last"]
    assert ids(tmp_path / "log") == [str(number), "last"]


def test_file_is_not_looked_for_before_each_line(make, tmp_path):
    """Until it looks again, the handler goes on with the file that it has."""
    make()
    write("0", "1")
    (tmp_path / "log").rename(tmp_path / "log.1")
    write("2", "3")
    assert ids(tmp_path / "log.1") == ["0", "1", "2", "3"]
    assert not (tmp_path / "log").exists()


def test_file_may_be_looked_for_before_each_line(make, tmp_path):
    """With ``look_every=0`` a line goes to what bears the file's name when it is written."""
    make(look_every=0)
    for number in range(4):
        write(str(number))
        (tmp_path / "log").rename(tmp_path / f"log.{number}")
    assert [ids(tmp_path / f"log.{number}") for number in range(4)] == [["0"], ["1"], ["2"], ["3"]]


def test_other_records_look_for_the_file(make, tmp_path):
    """A record that is no trace goes to the new file at once, and so does every line after it."""
    handler = make()
    write("0", "1")
    (tmp_path / "log").rename(tmp_path / "log.1")
    handler.handle(logging.makeLogRecord({"name": "app", "msg": "paid", "levelname": "INFO"}))
    write("2")
    assert ids(tmp_path / "log.1") == ["0", "1"]
    assert '"event":"paid"' in (tmp_path / "log").read_text().splitlines()[0]
    assert '"trace_id":"2"' in (tmp_path / "log").read_text().splitlines()[1]


@pytest.mark.parametrize("is_made_anew", [False, True])
def test_removed_file_is_made_anew(make, tmp_path, is_made_anew):
    """After its file was removed, and perhaps made again by somebody else, the log goes on in a new one."""
    make(look_every=0.001)
    write("0", "1")
    (tmp_path / "log").unlink()
    if is_made_anew:
        (tmp_path / "log").touch()
    while not ((tmp_path / "log").exists() and ids(tmp_path / "log")):
        write("more")
    write("last")
    assert ids(tmp_path / "log") == ["more", "last"]


def test_truncated_file_has_no_hole(make, tmp_path):
    """After ``copytruncate`` the next line is the first of its file."""
    make()
    write("0", "1")
    os.truncate(tmp_path / "log", 0)
    write("2", "3")
    assert ids(tmp_path / "log") == ["2", "3"]


def test_threads_write_whole_lines(make, tmp_path):
    """Lines of many threads, other records among them, are as many whole lines."""
    handler, together = make(), Barrier(8)

    def work(thread):
        together.wait(10)
        for number in range(25):
            write(f"{thread}-{number}", service_name="s" * 3000)
            handler.handle(logging.makeLogRecord({"msg": "paid", "levelname": "INFO"}))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    lines = (tmp_path / "log").read_text().splitlines()
    traces = [line for line in lines if '"paid"' not in line]
    assert (len(lines), len(traces)) == (400, 200)
    assert len({from_json(line).trace_id for line in traces}) == 200


def test_level_filter_and_formatter_count_at_once(make, tmp_path):
    """A level, filter or formatter that the handler is given meanwhile counts from the next line on."""
    handler = make()
    write("0", "1")
    handler.setLevel(logging.WARNING)
    write("quiet")
    write("loud", outcome="timeout")
    handler.setLevel(logging.INFO)

    def keep(record):
        return record.trace_id != "noise"

    handler.addFilter(keep)
    write("noise", "signal")
    handler.removeFilter(keep)
    assert ids(tmp_path / "log") == ["0", "1", "loud", "signal"]
    handler.setFormatter(logging.Formatter("%(message)s %(trace_id)s"))
    write("2")
    assert (tmp_path / "log").read_text().endswith("}\nhttp.client.trace 2\n")


def test_terminator_of_the_application_counts(make, tmp_path):
    """What the application has its lines end with is what ends a trace's."""
    make().terminator = "\r\n\0"
    write("0", "1")
    assert (tmp_path / "log").read_bytes().count(b"}\r\n\0{") == 1
    assert (tmp_path / "log").read_bytes().endswith(b"}\r\n\0")


@pytest.mark.parametrize("encoding", ["utf-16-le", "latin-1", "ascii"])
def test_other_encodings(make, tmp_path, encoding, capsys):
    """In another encoding the bytes are those that logging's own handler writes, or its complaint."""
    make(encoding=encoding)
    write("0", "1", service_name="é")
    written = (tmp_path / "log").read_bytes().decode(encoding)
    assert written.count("é") == (0 if encoding == "ascii" else 2)
    assert ("UnicodeEncodeError" in capsys.readouterr().err) is (encoding == "ascii")


def test_closed_handler_opens_its_file_again(make, tmp_path):
    """As with logging's own, a line after ``close()`` is written all the same."""
    handler = make()
    write("0", "1")
    handler.close()
    assert handler.stream is None
    write("2", "3")
    assert ids(tmp_path / "log") == ["0", "1", "2", "3"]


def test_stream_may_be_exchanged(make, tmp_path):
    """Between one ``setStream`` and the next, lines go to the other stream."""
    handler = make()
    write("0", "1")
    with (tmp_path / "other").open("a", encoding="utf-8") as other:
        own = handler.setStream(other)
        write("2", "3")
        handler.setStream(own)
    write("4", "5")
    assert ids(tmp_path / "log") == ["0", "1", "4", "5"]
    assert ids(tmp_path / "other") == ["2", "3"]


def compressing(path):
    return gzip.open(path, "at", encoding="utf-8")


def encoding(path):
    return codecs.getwriter("utf-8")(open(path, "ab"))  # noqa: PTH123 - has a name that is a str


@pytest.mark.parametrize(("opened", "content"), [(compressing, gzip.decompress), (encoding, bytes)])
def test_stream_that_is_no_plain_file_stays_in_use(make, tmp_path, capsys, opened, content):
    """Lines for a stream that writes the handler's own file in its own way go through it, without complaint."""
    handler = make()
    with opened(str(tmp_path / "log")) as other:
        own = handler.setStream(other)
        write("0", "1", "2")
        handler.setStream(own)
    lines = content((tmp_path / "log").read_bytes()).decode().splitlines()
    assert [from_json(line).trace_id for line in lines] == ["0", "1", "2"]
    assert capsys.readouterr().err == ""


def test_file_waits_for_the_first_line(make, tmp_path):
    """With ``delay=True`` there is no file before there is a line."""
    make(delay=True)
    assert not (tmp_path / "log").exists()
    write("0", "1")
    assert ids(tmp_path / "log") == ["0", "1"]


def test_file_closed_behind_its_back_is_complained_of(make, tmp_path, capfd):
    """Somebody closed the stream: logging's complaint, and no line in a file that has its number now."""
    handler = make()
    write("0", "1")
    handler.stream.close()
    # The lowest number that is free is the one that the log's file had.
    with (tmp_path / "other").open("w"):
        write("2")
    assert "I/O operation on closed file" in capfd.readouterr().err
    assert (tmp_path / "other").read_text() == ""
    handler.stream = None


def test_full_disk_is_complained_of(make, capfd):
    """A line for which there is no room is complained of as logging does, and harms nothing."""
    handler = make(path="/dev/full")
    write("0", "1")
    complaint = capfd.readouterr().err
    assert complaint.count("No space left on device") == 2
    assert "Message: 'http.client.trace'" in complaint
    with pytest.raises(OSError, match="No space"):
        handler.close()


class Own(LineFileHandler):
    """A handler that an application makes of ours."""

    def emit(self, record):
        record.region = f"eu-{record.trace_id}"
        super().emit(record)


def test_subclass_gets_usual_records(make, tmp_path):
    """A handler derived from ours gets each field of a trace as an attribute of its record."""
    make(Own)
    write("0", "1")
    assert (tmp_path / "log").read_text().count('"region":"eu-') == 2


@pytest.mark.parametrize(
    ("owner", "method"), [(logging.Handler, "handle"), (logging.StreamHandler, "emit")]
)
def test_who_watches_all_handlers_sees_each_line(make, tmp_path, monkeypatch, owner, method):
    """Who replaces a method of logging's handlers is called for each line of a trace too."""
    seen, original = [], getattr(owner, method)

    def watched(self, record):
        seen.append(record.msg)
        return original(self, record)

    make()
    write("0", "1")
    monkeypatch.setattr(owner, method, watched)
    write("2", "3")
    monkeypatch.undo()
    write("4")
    assert seen == ["http.client.trace"] * 2
    assert ids(tmp_path / "log") == ["0", "1", "2", "3", "4"]


def test_emit_of_one_handler_may_be_replaced(make, tmp_path):
    """Who puts an ``emit`` of their own on a handler gets the records."""
    handler, seen = make(), []
    write("0", "1")
    handler.emit = seen.append
    write("2")
    assert [record.getMessage() for record in seen] == ["http.client.trace"]
    assert ids(tmp_path / "log") == ["0", "1"]


@pytest.mark.parametrize("owner", [lambda handler: handler, lambda handler: handler.formatter])
def test_format_of_one_handler_may_be_replaced(make, tmp_path, owner):
    """Who puts a ``format`` of their own on a handler or its formatter, to hide something, has it called."""
    changed = owner(make())
    write("0", "1")
    original = changed.format
    changed.format = lambda record: original(record).replace(
        '"trace_id":"2"', '"trace_id":"hidden"'
    )
    write("2", "3")
    del changed.format
    write("4")
    assert ids(tmp_path / "log") == ["0", "1", "hidden", "3", "4"]


def test_filter_of_one_handler_may_be_replaced(make, tmp_path):
    """Who puts a ``filter`` of their own on a handler decides which lines it writes."""
    handler = make()
    write("0", "1")
    handler.filter = lambda _: False
    write("2")
    del handler.filter
    write("3")
    assert ids(tmp_path / "log") == ["0", "1", "3"]


@pytest.mark.parametrize("look_every", [-1, float("nan")])
def test_look_every_that_is_none_is_refused(tmp_path, look_every):
    """A ``look_every`` below 0, or no number, is refused before a file is opened."""
    with pytest.raises(ValueError, match="look_every must be a number of seconds, 0 or more"):
        LineFileHandler(tmp_path / "log", look_every=look_every)
    with pytest.raises(TypeError, match="look_every must be a number of seconds, not '1'"):
        LineFileHandler(tmp_path / "log", look_every="1")
    assert not (tmp_path / "log").exists()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=50,
)
@given(st.lists(st.sampled_from(["line", "record", "rename", "close", "flush"]), max_size=12))
def test_any_order_of_events_loses_nothing(make, tmp_path, events):
    """Whatever is logged, renamed, closed and flushed in between, each line is found once, in order."""
    for old in tmp_path.iterdir():
        old.unlink()
    handler, files, number = make(look_every=0), [], 0
    for event in events:
        if event in {"line", "record"}:
            number += 1
            if event == "line":
                write(str(number))
            else:
                record = {"msg": "paid", "trace_id": str(number), "levelname": "INFO"}
                handler.handle(logging.makeLogRecord(record))
        elif event == "rename" and (tmp_path / "log").exists():
            files.append((tmp_path / "log").rename(tmp_path / f"log.{len(files)}"))
        elif event != "rename":
            getattr(handler, event)()
    handler.close()
    files += [tmp_path / "log"] if (tmp_path / "log").exists() else []
    text = "".join(file.read_text() for file in files)
    found = [line.split('"trace_id":"')[1].split('"')[0] for line in text.splitlines()]
    assert found == [str(n + 1) for n in range(number)]
