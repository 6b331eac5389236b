"""The geometry of the pictures."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from gpudrift.report.charts import HEIGHT, WIDTH, density_chart


def corners(path: str) -> list[tuple[float, float]]:
    """The corners of a path of M, H, V and Z."""
    x = y = 0.0
    points = []
    for command, first, second in re.findall(r"([MHV])([\d.]+)(?: ([\d.]+))?", path):
        if command == "M":
            x, y = float(first), float(second)
        elif command == "H":
            x = float(first)
        else:
            y = float(first)
        points.append((x, y))
    return points


def area(path: str) -> float:
    points = corners(path)
    return sum((right[0] - left[0]) * (HEIGHT - left[1]) for left, right in pairwise(points))


def make_density(edges, reference, current):
    return {"edges": edges, "labels": [f"{e:g}" for e in edges], "reference": reference, "current": current}


def test_areas_are_proportional_to_shares_whatever_the_widths():
    chart = density_chart(make_density([0.0, 1.0, 4.0, 10.0], [0.2, 0.3, 0.5], [0.1, 0.3, 0.1]))
    assert area(chart.current) / area(chart.reference) == pytest.approx(0.5, rel=0.01)


def test_paths_stay_inside_the_picture():
    chart = density_chart(make_density([0.0, 1e-300, 1.0, 1e300], [0.5, 0.2, 0.3], [0.0, 0.0, 1.0]))
    for path in (chart.reference, chart.current):
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in corners(path))


def test_a_spike_is_cut_and_named_so_that_the_rest_can_be_seen():
    shares = [0.9, *[0.0125] * 8]
    chart = density_chart(make_density([float(e) for e in range(10)], shares, shares))
    assert chart.cut == "Cut off at the top: 0 to 1 (reference 90.0%, current 90.0%)."
    assert min(y for x, y in corners(chart.reference) if x > WIDTH / 9 + 1) < 0.8 * HEIGHT


def test_an_even_picture_is_not_cut():
    chart = density_chart(make_density([0.0, 1.0, 2.0, 3.0], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]))
    assert chart.cut == ""


def test_labels_of_the_axis_keep_their_distance():
    edges = [0.0, 0.001, 0.002, 0.5, 0.501, 0.999, 1.0]
    chart = density_chart(make_density(edges, [1 / 6] * 6, [1 / 6] * 6))
    places = [float(tick.at.rstrip("%")) for tick in chart.ticks]
    assert places[0] == 0
    assert places[-1] == 100
    assert all(right - left >= 15 for left, right in pairwise(places))


def test_long_labels_are_shortened_and_kept_in_full_beside():
    density = make_density([0.0, 1.0], [1.0], [1.0]) | {"labels": ["2013-01-01 00:00:00.000000", "b"]}
    tick = density_chart(density).ticks[0]
    assert len(tick.label) <= 20
    assert tick.full == "2013-01-01 00:00:00.000000"


@pytest.mark.parametrize(
    "density",
    [
        make_density([0.0], [], []),
        make_density([1.0, 1.0], [1.0], [1.0]),
        make_density([0.0, float("inf")], [1.0], [1.0]),
        make_density([0.0, 1.0, 2.0], [1.0], [1.0]),
    ],
)
def test_what_cannot_be_drawn_is_not_drawn(density):
    assert density_chart(density) is None
