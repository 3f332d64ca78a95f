from hypothesis import given
from hypothesis import strategies as st

from tracedclient.cli.reading.memory import WORTH, find


@given(
    st.binary(min_size=1, max_size=40),
    st.integers(0, WORTH + 100),
    st.integers(0, 50),
    st.integers(WORTH, WORTH + 200),
)
def test_finds_what_bytes_find_does(needle, place, start, end):
    """By the C library or by Python, the first place within the bounds is found, and none beyond."""
    data = bytearray(b"\x01\x02\n" * (WORTH // 3 + 40))
    data[place : place + len(needle)] = needle
    assert find(data, needle, start, end) == data.find(needle, start, end)


def test_nothing_is_read_beyond_the_buffer():
    """An end that lies behind the buffer's is the buffer's."""
    data = bytearray(WORTH)
    assert find(data, b"x", 0, 10 * WORTH) == -1
    assert find(bytearray(), b"x", 0, 0) == -1


def test_the_buffer_is_free_again():
    """Afterwards the buffer can be resized: nothing holds it."""
    data = bytearray(WORTH)
    assert find(data, b"\0", 0, WORTH) == 0
    data.extend(b"x")
