from logged import cri, docker

from tracedclient.cli.reading.tally import TOO_LONG
from tracedclient.cli.reading.wrapping import MAX_JOINED, PARTIAL, is_wrapped, unwrapped


def lines(*stored):
    return [line.data for line in unwrapped(enumerate(stored))]


def test_plain_lines_stay():
    """What no runtime wrote is left alone."""
    assert lines(b'{"a":1}\n', b"text\r\n") == [b'{"a":1}', b"text"]
    assert not is_wrapped([b'{"a":1}', b'{"log":"half', b"[pod/] x", b""])


def test_each_wrapping_is_known():
    """Docker's, a CRI runtime's and kubectl's lines are known and taken off."""
    stored = [docker(b"a\n"), cri(b"b"), b"[pod/x-1/app] c\n"]
    assert all(is_wrapped([line]) for line in stored)
    assert lines(*stored) == [b"a", b"b", b"c"]


def test_kubectl_pieces_of_16_kib_are_joined():
    """A line that kubectl repeats its prefix in, at 16 KiB, is one again; each pod has its own."""
    full, rest = b"x" * PARTIAL, b"y"
    assert lines(
        b"[pod/a/app] " + full, b"[pod/b/app] other", b"[pod/a/app] " + full, b"[pod/a/app] " + rest
    ) == [b"other", full + full + rest]


def test_kubectl_timestamps_are_the_runtimes():
    """With --timestamps too, the line is what the application wrote."""
    stored = [(0, b"[pod/a/app] 2026-11-20T22:27:58.2Z {}")]
    assert [(line.data, line.written) for line in unwrapped(stored)] == [
        (b"{}", b"2026-11-20T22:27:58.2Z")
    ]


def test_streams_do_not_mix():
    """Pieces of stdout and stderr that alternate become one line each."""
    assert lines(
        cri(b"out ", "P"), cri(b"err ", "P", stream="stderr"), cri(b"1"), cri(b"2", stream="stderr")
    ) == [b"out 1", b"err 2"]


def test_pieces_without_end_do_not_fill_the_memory():
    """What is longer than a megabyte when joined is given up, and said to be cut."""
    stored = [cri(b"x" * PARTIAL, "P")] * 100 + [cri(b"end")]
    (line,) = unwrapped(enumerate(stored))
    assert len(line.data) <= MAX_JOINED
    assert line.lack == TOO_LONG


def test_what_only_looks_like_docker_is_a_line():
    """JSON that begins as Docker's does, and is not, stays as it is."""
    odd = [b'{"log":"a', b'{"log":"a"}x', b'{"log":"', b'{"log":"a","log":5}', b'{"log":"\\ud800"}']
    assert lines(*odd[:4]) == odd[:4]
    assert next(iter(unwrapped([(0, odd[4])]))).data == b"\xed\xa0\x80"
