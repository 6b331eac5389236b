"""What a fit will take, from what past ones took."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudrift import ConfigError, Cost, predict_cost


def test_a_fixed_cost_and_one_per_row_are_found() -> None:
    past = [Cost(2 + rows / 1000, 4 + rows / 500, rows, 100 + rows) for rows in (1_000, 2_000, 5_000)]
    found = predict_cost(past, 10_000)
    assert (found.wall_s, found.device_s) == pytest.approx((12.0, 24.0))
    assert (found.rows, found.peak_bytes) == (10_000, 10_100)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 10**6)), min_size=1, max_size=6), st.integers(1, 10**7))
def test_no_cost_is_negative_or_falls_with_rows(past: list[tuple[float, int]], rows: int) -> None:
    costs = [Cost(seconds, seconds, n, 1) for seconds, n in past]
    few, many = predict_cost(costs, rows), predict_cost(costs, 2 * rows)
    assert 0 <= few.wall_s <= many.wall_s


@pytest.mark.parametrize("rows", [-1, 1.5, None, "many"])
def test_a_cost_is_that_of_a_number_of_rows(rows: object) -> None:
    with pytest.raises(ConfigError, match=r"^rows must be a number of rows, 0 or more, got "):
        predict_cost([Cost(1.0, 1.0, 10, 1)], rows)  # type: ignore[arg-type]
