"""The pictures: the chart and the flame graph."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from benchmarks.chart import chart
from benchmarks.flame import flame_graph, tree
from benchmarks.peers import DO_OFF, RAW, REQUESTS
from benchmarks.sampling import sampled

SVG = "{http://www.w3.org/2000/svg}"
STACKS = [
    "main;row (own.py);do (client.py);send (adapter.py) 60",
    "main;row (own.py);do (client.py) 39",
    "main;row (own.py);do (client.py);rare (adapter.py) 1",
    "main;warm_up (worker.py) 500",
]


def widths(picture):
    """Return the width of each frame by what it tells when pointed at."""
    frames = [rect for rect in ET.fromstring(picture).iter(f"{SVG}rect") if len(rect)]
    return {rect.find(f"{SVG}title").text: float(rect.get("width")) for rect in frames}


def words(picture):
    """Return the texts of a picture."""
    return [text.text for text in ET.fromstring(picture).iter(f"{SVG}text")]


def test_the_chart_names_each_row_and_its_ratio(results):
    """Who sees the picture alone sees the numbers."""
    said = words(chart(results))

    assert {RAW, DO_OFF, REQUESTS, "0.01", "0.35", "1.00"} <= set(said)


def test_the_chart_marks_the_bar(results):
    """A row with a bar shows it where it stands on the scale."""
    lines = ET.fromstring(chart(results)).iter(f"{SVG}line")

    assert len([line for line in lines if line.get("class") == "bar-line"]) == 1


def test_a_picture_suits_light_and_dark_mode(results):
    """Each colour has two values, and the ground is the picture's own."""
    picture = chart(results)

    assert "@media (prefers-color-scheme: dark)" in picture
    assert picture.count(".ground { fill: ") == 2
    assert 'class="ground"' in picture


def test_a_frame_is_as_wide_as_its_share():
    """Widths are shares of the samples beneath the root; what is elsewhere does not count."""
    found = widths(flame_graph(tree(STACKS, "(own.py)"), "title"))

    assert found["one request: 100.0%"] == found["do (client.py): 100.0%"] == 979
    assert found["send (adapter.py): 60.0%"] == pytest.approx(980 * 0.6 - 1)


def test_small_frames_are_left_out():
    """What took less than the least share is not drawn."""
    found = widths(flame_graph(tree(STACKS, "(own.py)"), "title", least=0.02))

    assert "rare (adapter.py): 1.0%" not in found
    assert len(found) == 3


def test_the_same_stacks_make_the_same_picture():
    """The order of the stacks does not matter, so that a picture changes only with the profile."""
    there, back = (flame_graph(tree(way, "(own.py)"), "t") for way in (STACKS, STACKS[::-1]))

    assert there == back


def test_a_root_that_was_never_seen_is_an_error():
    """An empty picture is not taken for a profile."""
    with pytest.raises(ValueError, match="no stack has a function 'nowhere'"):
        tree(STACKS, "nowhere")


def test_sampling_finds_the_function_that_burns_time():
    """What the timer sees most is what takes the CPU."""

    def burn():
        for _ in range(40):
            sum(range(100_000))

    stacks = sampled(burn)
    burning = sum(int(line.rpartition(" ")[2]) for line in stacks if "burn (" in line)

    assert burning > 0
    assert burning >= 0.9 * sum(int(line.rpartition(" ")[2]) for line in stacks)
