import pytest
from drawing import exchange

from tracedclient.cli.facts import facts
from tracedclient.trace.model import DNS, TCP, Resolver


def told(**fields):
    return " · ".join(facts(exchange(**fields)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tcp": TCP(rtt_ms=31.0, min_rtt_ms=30.0)}, "round trip 31.0 ms"),
        ({"tcp": TCP(rtt_ms=90.0, min_rtt_ms=30.0)}, "round trip 90.0 ms (at best 30.0 ms)"),
        ({"tcp": TCP(retransmits=2, segments_out=9)}, "2 segments of 9 sent again"),
        ({"tcp": TCP(retransmits=1)}, "1 segment sent again"),
        ({"tcp": TCP(delivery="none_left")}, "no byte of the request left this machine"),
        ({"reads": 100, "bytes_received": 2000}, "100 reads of 20 B on average"),
        ({"longest_silence_ms": 60.0}, "longest silence 60.0 ms"),
        ({"buffered_ms": 12.0}, "the answer lay 12.0 ms in the kernel before this process read it"),
        ({"throttled_ms": 70.0}, "held back by the CPU limit for 70.0 ms"),
        ({"cpu_ms": 50.0}, "CPU time 50.0 ms"),
        ({"bytes_sent": 70_000, "writes": 3}, "send (70.0 kB in 3 writes)"),
        (
            {"dns": DNS(host="api", addrs=("10.0.0.1",), resolver=Resolver(explanation="5 tried"))},
            "dns (api: 10.0.0.1; 5 tried)",
        ),
    ],
)
def test_what_is_out_of_the_ordinary_is_told(fields, words):
    """What the kernel and the process saw is in the facts, in words."""
    assert words in told(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"tcp": TCP(rtt_ms=0.05, min_rtt_ms=0.01, retransmits=0, segments_out=3)},
        {"tcp": TCP(rtt_ms=5.4, min_rtt_ms=0.01)},
        {"reads": 2, "bytes_received": 300},
        {"reads": 100, "bytes_received": 200_000},
        {"longest_silence_ms": 9.0},
        {"longest_silence_ms": 60.0, "duration_ms": 6000.0},
        {"buffered_ms": 9.0},
        {"throttled_ms": 0.0},
        {"cpu_ms": 2.0},
    ],
)
def test_what_is_ordinary_is_no_news(fields):
    """A reader at night is not sent looking at numbers that explain nothing."""
    bare = told(**{name: fields[name] for name in ("bytes_received",) if name in fields})
    assert told(**fields) == bare


def test_what_the_verdict_has_told_is_not_told_again():
    """The headline explains a failed lookup, and what became of the request; once is enough."""
    dns = DNS(host="api", error="EAI_NONAME", resolver=Resolver(explanation="5 tried"))
    failed = exchange(dns=dns, tcp=TCP(delivery="acknowledged"))
    verdict = "DNS gave no address; 5 tried; all 9 bytes of the request were acknowledged"
    assert facts(failed, told=verdict) == ["dns (api: EAI_NONAME)"]
