import pytest
from hypothesis import given
from hypothesis import strategies as st
from logged import ID

from tracedclient.cli.reading.wanted import canonical, wanted

UUID = "4bf92f35-77b3-4da6-a3ce-929d0e0e4736"


@pytest.mark.parametrize(
    "given",
    [
        ID,
        ID.upper(),
        UUID,
        f"{{{UUID}}}",
        f"urn:uuid:{UUID}",
        f'"{ID}"',
        f"00-{ID}-00f067aa0ba902b7-01",
        f"{ID}-00f067aa0ba902b7-1",
        f"{ID}-00f067aa0ba902b7-1-05e3ac9a4f6e3b90",
        "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1",
    ],
)
def test_an_id_may_be_given_as_any_header_spells_it(given):
    """A traceparent, b3, X-Ray or UUID spelling asks for the one id."""
    assert wanted(given).id == ID


@pytest.mark.parametrize("given", [ID, UUID])
@pytest.mark.parametrize("spelling", [ID, UUID, ID.upper(), f"00-{ID}-00f067aa0ba902b7-01"])
def test_a_log_may_spell_it_otherwise(given, spelling):
    """However it is given, the id is found in a line that spells it otherwise, if need be by the
    second search."""
    asked = wanted(given)
    line = f"trace={spelling}, done".encode()
    assert asked.spelled_in(line) == [ID]
    assert any(needle in line for needle in (*asked.needles, *asked.others))


@given(st.integers(8, 31))
def test_a_prefix_gives_the_whole_id(length):
    """From 8 characters on, the beginning of an id is completed from the line, dashes or not."""
    asked = wanted(ID[:length])
    assert asked.spelled_in(f'"{ID}"'.encode()) == [ID]
    assert asked.spelled_in(f'"{UUID}"'.encode()) == [ID]


@pytest.mark.parametrize("prefix", ["4bf92f35-77b3", "4bf92f35-77b3-4da6-a3ce-92"])
def test_the_prefix_of_a_uuid_is_one(prefix):
    """The beginning of a UUID with its dashes finds the id in both spellings."""
    asked = wanted(prefix)
    for spelling in (ID, UUID):
        line = f"id {spelling}.".encode()
        assert asked.spelled_in(line) == [ID]
        assert any(needle in line for needle in (*asked.needles, *asked.others))


@pytest.mark.parametrize("line", [f"a{ID}", f"{ID}0", f"{ID[:-1]}x", "4bf92f35"])
def test_a_longer_word_is_another_id(line):
    """An id inside of a longer word is not the id."""
    assert wanted(ID).spelled_in(line.encode()) == []


def test_b3_ids_of_64_bits_are_found_with_their_zeros():
    """The 16 digits of a B3 id are found where they were filled up to 32, and the other way."""
    short, long = "463ac35c9f6413ad", "0000000000000000463ac35c9f6413ad"
    assert canonical(long) == short
    for asked in (wanted(short), wanted(long)):
        assert asked.spelled_in(short.encode()) == asked.spelled_in(long.encode()) == [short]
        assert asked.needles == (short.encode(),)


def test_any_other_id_is_found_as_it_is():
    """An id that is no hex is found by itself, and from 8 characters on by its beginning."""
    assert wanted("t-1").spelled_in(b"t-1 t-10 at-1") == ["t-1"]
    assert wanted("order-84").spelled_in(b'"order-841": order-842.') == ["order-841", "order-842"]
    assert wanted("a.b:c/d+e=").spelled_in(b"a.b:c/d+e=f") == ["a.b:c/d+e=f"]


@pytest.mark.parametrize("text", ["", "  ", "a b", "a\x1b[31m", "x" * 129, "é"])
def test_what_no_id_can_be_is_refused(text):
    """An id of other characters is refused, without being quoted."""
    with pytest.raises(ValueError, match="TRACE_ID must have 1 to 128 characters"):
        wanted(text)


def test_only_a_whole_id_costs_one_needle():
    """The usual id is searched for once; what is rare waits for the second search."""
    assert wanted(ID).needles == (ID.encode(),)
    assert wanted(ID).is_whole
    assert not wanted(ID[:10]).is_whole
