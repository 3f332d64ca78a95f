from benchmarks.logs import WANTED, generate
from tracedclient.cli import main
from tracedclient.cli.reading.clock import time_of


def test_the_log_of_the_benchmark_is_a_log(tmp_path, capsys):
    """The log that is searched for the measurement is in order, of the size, and has the id."""
    log = generate(tmp_path / "app.log", 3_000_000)
    lines = log.path.read_bytes().splitlines()
    moments = [time_of(line) for line in lines]
    assert moments == sorted(moments)
    assert len(lines) == log.lines
    assert 3_000_000 <= log.path.stat().st_size < 3_100_000
    assert main(["logs", WANTED, str(log.path), "--around", f"{log.wanted_at}±30s"]) == 0
    assert "trace " + WANTED in capsys.readouterr().out
