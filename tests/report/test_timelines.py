"""The geometry of strips and time lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudrift.report.severities import severity
from gpudrift.report.timelines import heat_strip, time_line, window_ticks

PSI = st.one_of(st.none(), st.floats(0, 20, allow_nan=False))


def _covered(path: str) -> list[int]:
    """Cells below the rectangles of a path."""
    rectangles = re.findall(r"M(\d+) [\d.]+H(\d+)V[\d.]+H\1Z", path)
    assert path.count("M") == len(rectangles)
    return [k for first, last in rectangles for k in range(int(first), int(last))]


@given(st.lists(st.tuples(PSI, st.booleans()), max_size=40))
def test_every_known_window_is_in_one_level_and_every_drifted_one_is_marked(cells):
    values, drifted = [value for value, _ in cells], [mark for _, mark in cells]
    levels = [severity(value) for value in values]
    strip = heat_strip(values, drifted, levels)
    for wanted, path in enumerate(strip.levels):
        assert _covered(path) == [k for k, level in enumerate(levels) if level == wanted]
    assert _covered(strip.marks) == [k for k, mark in enumerate(drifted) if mark]
    assert [value.endswith("*") for value in strip.values.split()] == drifted


def test_a_window_without_a_value_breaks_the_line(windows):
    series = {**windows(4, 1)["features"][0], "values": [0.1, None, 0.2, 0.2]}
    line = time_line(series, ["a", "b", "c", "d"])
    assert line is not None
    assert line.path == "M0 53H150M300 6H600"
    assert line.description == (
        "PSI over 4 windows from a to d: largest 0.200 in c, newest 0.200; drifted in 0 of 4."
        " The dashed line is the threshold 0.1."
    )


def test_one_window_is_a_line_from_edge_to_edge(windows):
    line = time_line({**windows(1, 1)["features"][0], "threshold": None}, ["a"])
    assert line is not None
    assert (line.path, line.threshold_y) == ("M0 6H600", "")
    assert line.description == "PSI in the window a: largest 0.0100 in a, newest 0.0100; drifted in 0 of 1."


@pytest.mark.parametrize("values", [[None, None], [float("nan"), None]])
def test_nothing_known_is_nothing_to_draw(windows, values):
    assert time_line({**windows(2, 1)["features"][0], "values": values}, ["a", "b"]) is None


def test_a_giant_is_cut_and_named(windows):
    series = {**windows(8, 1)["features"][0], "values": [0.1] * 7 + [9.0]}
    line = time_line(series, list("abcdefgh"))
    assert line is not None
    assert line.path.endswith("V0H600")
    assert line.cut == "Cut off at the top: h (9.00)."


@pytest.mark.parametrize(("n", "named"), [(0, []), (1, ["0"]), (2, ["0", "1"]), (6, ["0", "2", "5"])])
def test_ticks_name_the_first_window_the_last_and_one_between(n, named):
    assert [tick.label for tick in window_ticks([str(k) for k in range(n)])] == named
