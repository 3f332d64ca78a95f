import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.cli.reporting.histogram import Histogram, bucket_of, value_of

times = st.floats(min_value=0.001, max_value=1e7)


def histogram(values):
    found = Histogram()
    for value in values:
        found.add(value)
    return found


@given(st.lists(times, min_size=100, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_is_within_one_per_cent(values, share):
    """What is said of a percentile is at most 1 % from the value of that rank."""
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    assert histogram(values).percentile(share) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(("share", "least"), [(0.5, 20), (0.95, 20), (0.99, 100)])
def test_too_few_values_have_no_percentile(share, least):
    """A percentile that would be made up is absent."""
    assert histogram([1.0] * (least - 1)).percentile(share) is None
    assert histogram([1.0] * least).percentile(share) == 1.0


@given(st.lists(times, max_size=50), st.lists(times, max_size=50))
def test_merged_histograms_are_those_of_all_values(some, others):
    """Files that are counted apart add up to what they would be as one."""
    merged, together = histogram(some), histogram([*some, *others])
    merged.merge(histogram(others))
    assert (merged.counts, merged.count) == (together.counts, together.count)
    assert (merged.least, merged.most) == (together.least, together.most)
    assert merged.total == pytest.approx(together.total)


@given(times)
def test_a_value_lies_within_its_bucket(ms):
    """The middle of a bucket stands for all in it."""
    assert value_of(bucket_of(ms)) == pytest.approx(ms, rel=0.0101)


@pytest.mark.parametrize("ms", [0.0, -1.0, 1e-9, 1e300, math.inf])
def test_what_cannot_be_a_time_is_counted_at_the_edge(ms):
    """No number in a log can make a bucket that does not exist, or an error."""
    assert bucket_of(ms) in {bucket_of(0.0), bucket_of(1e300)}


def test_the_interval_of_a_percentile_has_it_inside():
    """The 99 % interval is around the percentile, and narrower for more values."""
    few, many = (histogram(range(1, count)) for count in (101, 100_01))
    for found in (few, many):
        low, high = found.interval(0.5)
        assert low <= found.percentile(0.5) <= high
    assert few.interval(0.5)[0] < 50 * 0.8
    assert many.interval(0.5)[0] > 5000 * 0.95
    assert histogram([1.0]).interval(0.5) is None
