from hypothesis import given
from hypothesis import strategies as st
from logged import ID, cri, docker, source, trace_line

from tracedclient.cli.reading.blocks import BLOCK, MAX_LINE, Block, blocks
from tracedclient.cli.reading.search import every_line, lines_with
from tracedclient.cli.reading.tally import PIECES, TOO_LONG

NEEDLE = ID.encode()


def search(tmp_path, data, needles=(NEEDLE,)):
    with source(tmp_path, data) as opened:
        return list(lines_with(blocks(opened), needles))


def in_blocks(lines):
    """Each line as a block of its own."""
    offset = 0
    for line in lines:
        yield Block(offset, bytearray(line), len(line))
        offset += len(line)


@given(st.lists(st.text("ab\r", max_size=8), max_size=30), st.sampled_from(["a", "ab", "bb", "b"]))
def test_finds_what_reading_line_by_line_finds(lines, needle):
    """The lines found, and their offsets, are those that a loop over all lines finds."""
    data = "".join(f"{line}\n" for line in lines).encode()
    expected, offset = [], 0
    for line in data.splitlines(keepends=True) if "\r" not in data.decode() else data.split(b"\n"):
        whole = line if line.endswith(b"\n") else line + b"\n"
        if needle.encode() in whole:
            expected.append((offset, whole.rstrip(b"\r\n")))
        offset += len(whole)
    found = lines_with([Block(0, bytearray(data), len(data))] if data else [], [needle.encode()])
    assert [(line.offset, line.data) for line in found] == expected


def test_several_needles_in_one_line_are_one_hit(tmp_path):
    """A line that holds the id in two spellings, twice, is found once."""
    found = search(tmp_path, b"x\nab ba ab\ny\n", [b"ab", b"ba"])
    assert [(line.offset, line.data) for line in found] == [(2, b"ab ba ab")]


def test_a_hit_across_two_reads_is_found(tmp_path):
    """An id that the end of a block divides is found all the same."""
    data = b"x" * (BLOCK - 10) + NEEDLE + b" end\n"
    assert [len(line.data) for line in search(tmp_path, data)] == [len(data) - 1]


def test_the_last_line_needs_no_newline(tmp_path):
    """Half a line at the end of a file is found."""
    assert search(tmp_path, b"a\n" + NEEDLE)[0].data == NEEDLE


def test_of_a_line_of_100_megabytes_the_beginning_is_kept(tmp_path):
    """A hit far inside an endless line is reported with the line's beginning, in bounded memory."""
    path = tmp_path / "source"
    with path.open("wb") as file:
        file.write(b"head ")
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        # Where one piece ends and the next begins is not known here; one of these lies across.
        file.write((NEEDLE + b" ") * (3 * MAX_LINE // 33))
        file.write(b"x" * 47_000_000 + b"\nshort " + NEEDLE + b"\n")
    with source_at(path) as opened:
        found = list(lines_with(blocks(opened), [NEEDLE]))
    assert [line.lack for line in found] == [TOO_LONG, ""]
    assert found[0].data.startswith(b"head ")
    assert len(found[0].data) <= 4096
    assert found[1].data == b"short " + NEEDLE


def source_at(path):
    from tracedclient.cli.reading.compression import opened
    from tracedclient.cli.reading.inputs import Input

    return opened(Input(str(path), seekable=True))


def test_an_id_across_two_pieces_of_an_endless_line_is_found(tmp_path):
    """Where an endless line is divided, the id may be too."""
    head = MAX_LINE + BLOCK
    for cut in (1, 16, 31):
        data = b"x" * (head - cut) + NEEDLE + b"x" * head + b"\n"
        assert [line.lack for line in search(tmp_path, data)] == [TOO_LONG]


def test_an_endless_line_without_the_id_is_no_hit(tmp_path):
    """Only the id makes a hit."""
    assert search(tmp_path, b"x" * (3 * MAX_LINE)) == []


def test_nothing_is_found_in_nothing(tmp_path):
    """An empty file has no line."""
    assert search(tmp_path, b"") == []


def test_a_docker_line_in_three_pieces_is_joined(tmp_path):
    """A line that Docker broke at 16 KiB is whole again, also with another stream in between."""
    line = trace_line()[:-2] + b',"pad":"' + b"x" * 40_000 + b'"}\n'
    pieces = [line[at : at + 16384] for at in range(0, len(line), 16384)]
    stored = [docker(piece) for piece in pieces]
    stored.insert(1, docker(b"from stderr\n", stream="stderr"))
    found = search(tmp_path, docker(b"first\n") + b"".join(stored))
    assert [one.data + b"\n" for one in found] == [line]
    assert found[0].written == b"2026-11-20T22:27:58.200000001Z"


def test_pieces_in_two_blocks_are_joined(tmp_path):
    """A line whose pieces lie in different reads is found once and whole, wherever the id is."""
    for where in range(3):
        pieces = [b"a" * 16000, b"b" * 16000, b"c" * 16000]
        pieces[where] += NEEDLE
        stored = cri(pieces[0], "P") + cri(pieces[1], "P") + cri(pieces[2])
        filler = cri(b"other") * ((BLOCK - 25_000) // len(cri(b"other")))
        found = search(tmp_path, filler + stored + filler + filler)
        assert [line.data for line in found] == [b"".join(pieces)]
        assert found[0].offset == len(filler)


def test_a_line_whose_end_is_missing_is_said_to_be_cut(tmp_path):
    """When the file ends with a P piece, the line is given as far as it goes."""
    found = search(tmp_path, cri(b"whole") + cri(b"begun " + NEEDLE, "P"))
    assert [(line.data, line.lack) for line in found] == [(b"begun " + NEEDLE, PIECES)]


def test_every_line_takes_wrappings_off(tmp_path):
    """All lines of a file are given as the application wrote them."""
    with source(tmp_path, cri(b"one") + cri(b"tw", "P") + cri(b"o") + b"plain\n") as opened:
        assert [line.data for line in every_line(blocks(opened))] == [b"one", b"two", b"plain"]
