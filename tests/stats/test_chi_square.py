from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
import scipy.stats.contingency
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpudrift.stats import chi_square, pool_rare

Counts = NDArray[np.int64]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Counts, Counts]:
    """Two rows of 2 to 10 counts, each with at least one row of data."""
    categories = draw(st.integers(2, 10))
    largest = draw(st.sampled_from([4, 500, 10**9]))
    side = st.lists(st.integers(0, largest), min_size=categories, max_size=categories).filter(any)
    return np.array(draw(side)), np.array(draw(side))


@given(tables())
def test_chi_square_equals_scipy_without_yates(pair: tuple[Counts, Counts]) -> None:
    table = np.vstack(pair)
    table = table[:, table.sum(axis=0) > 0]
    ours = chi_square(*pair)
    if table.shape[1] == 1:
        assert (ours.statistic, ours.df, ours.log_pvalue, ours.cramers_v) == (0.0, 0, 0.0, 0.0)
        return
    peer = scipy.stats.chi2_contingency(table, correction=False)
    assert ours.statistic == pytest.approx(peer.statistic, rel=1e-10, abs=1e-12)
    assert ours.df == peer.dof
    assert ours.cramers_v == pytest.approx(scipy.stats.contingency.association(table), rel=1e-9, abs=1e-9)
    expected_log = scipy.stats.chi2.logsf(ours.statistic, ours.df)
    if expected_log > -700:
        assert ours.log_pvalue == pytest.approx(expected_log, rel=1e-9, abs=1e-12)


@given(tables(), st.integers(1, 50))
def test_equal_shares_give_exactly_zero(pair: tuple[Counts, Counts], times: int) -> None:
    ours = chi_square(pair[0], pair[0] * times)
    assert (ours.statistic, ours.log_pvalue, ours.cramers_v) == (0.0, 0.0, 0.0)


@given(tables())
def test_swapping_the_sides_changes_nothing(pair: tuple[Counts, Counts]) -> None:
    there, back = chi_square(*pair), chi_square(pair[1], pair[0])
    assert there.statistic == pytest.approx(back.statistic, rel=1e-12)
    assert there.df == back.df


def test_sides_without_a_common_category_have_a_v_of_one() -> None:
    ours = chi_square(np.array([10**9, 0]), np.array([0, 10**9]))
    assert ours.cramers_v == 1.0
    assert -1.1e9 < ours.log_pvalue < -0.9e9


def test_a_side_without_rows_gives_nan() -> None:
    for pair in ((np.array([0, 0]), np.array([1, 2])), (np.array([1, 2]), np.array([0, 0]))):
        ours = chi_square(*pair)
        assert ours.df == 0
        assert all(math.isnan(value) for value in (ours.statistic, ours.log_pvalue, ours.cramers_v))


def test_different_numbers_of_categories_are_refused() -> None:
    for test in (chi_square, pool_rare):
        with pytest.raises(ValueError, match=r"must count the same bins, got \(2,\) and \(1,\)"):
            test(np.array([1, 2]), np.array([1]))
    with pytest.raises(ValueError, match="got no category at all"):
        pool_rare(np.array([], dtype=np.int64), np.array([], dtype=np.int64))


def grouped(reference: Counts, current: Counts, minimum: float = 5.0) -> tuple[list[int], list[int], list[int]]:
    group = pool_rare(reference, current, minimum)
    f, g = (np.bincount(group, side).astype(np.int64).tolist() for side in (reference, current))
    return f, g, group.tolist()


def test_nothing_rare_and_nothing_new_stays_as_it_is() -> None:
    reference, current, group = grouped(np.array([60, 40, 0]), np.array([30, 70, 0]))
    assert (reference, current) == ([60, 40, 0], [30, 70, 0])
    assert group == [0, 1, 2]
    assert chi_square(np.array(reference), np.array(current)).df == 1


def test_a_frequent_new_category_stays_by_itself() -> None:
    reference, current, group = grouped(np.array([60, 40, 0]), np.array([40, 30, 30]))
    assert (reference, current) == ([60, 40, 0], [40, 30, 30])
    assert group == [0, 1, 2]


def test_rare_categories_join_the_new_ones() -> None:
    # 100 rows on either side: a category is rare below 10 rows in all, an expected count of 5 each.
    reference, current, group = grouped(np.array([50, 3, 43, 4, 0]), np.array([45, 6, 43, 0, 6]))
    assert (reference, current) == ([50, 43, 7], [45, 43, 12])
    assert group == [0, 2, 1, 2, 2]


def test_a_pool_that_is_itself_rare_takes_in_the_least_frequent_category() -> None:
    reference, current, group = grouped(np.array([50, 20, 30, 0]), np.array([50, 20, 29, 1]))
    assert (reference, current) == ([50, 30, 20], [50, 29, 21])
    assert group == [0, 2, 1, 2]


def test_rarity_is_judged_on_the_smaller_side() -> None:
    # 960 of 1,000,100 rows are expected 0.1 times among 100, however often the reference has them.
    _, current, group = grouped(np.array([999_000, 960, 40, 0]), np.array([98, 1, 1, 0]))
    assert group == [0, 0, 0, 0]
    assert current == [100]


def test_rare_categories_that_no_chance_kept_out_of_the_reference_share_groups_of_their_own() -> None:
    # Among 300 rows a category is rare below a total of 1,005 = 5 * 60,300 / 300; a group has up to twice as many.
    reference, current, group = grouped(np.append(np.full(600, 100), 0), np.append(np.zeros(600, int), 300))
    assert len(reference) == 29  # with 300 new ones alone the pool would be rare: a group joins it
    assert min(reference) >= 1_005
    assert group[-1] == 28
    assert current == [0] * 28 + [300]


def test_groups_are_of_about_equally_frequent_categories() -> None:
    rng = np.random.default_rng(0)
    reference, current = np.append(rng.permutation(600) + 50, 0), np.append(np.ones(600, int), 0)
    group = pool_rare(reference, current)[:-1]
    totals = (reference + current)[:-1]
    ranges = sorted((totals[group == g].min(), totals[group == g].max()) for g in set(group.tolist()))
    assert len(ranges) > 30
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ranges))


@given(tables(), st.sampled_from([1.0, 5.0]))
def test_pooling_loses_no_row_and_leaves_no_small_expected_count(pair: tuple[Counts, Counts], minimum: float) -> None:
    reference, current, group = grouped(*pair, minimum)
    n, m = int(pair[0].sum()), int(pair[1].sum())
    assert (sum(reference), sum(current)) == (n, m)
    assert sorted(set(group)) == list(range(group[-1] + 1))
    total = np.array(reference) + current
    if np.count_nonzero(total) > 1:
        expected = total[total > 0] * min(n, m) / (n + m)
        assert expected.min() >= minimum * (1 - 1e-12)


def test_a_side_without_rows_is_pooled_whole() -> None:
    assert grouped(np.array([5, 9, 0]), np.array([0, 0, 0])) == ([14], [0], [0, 0, 0])


def share_rejected(n: int, m: int, *, pool: bool, flatness: float = 1.2) -> float:
    """Share of 2,000 null pairs rejected at .05, over a long-tailed vocabulary taken from each reference."""
    rng = np.random.default_rng(11)
    probabilities = 1.0 / np.arange(1, 301) ** flatness
    probabilities /= probabilities.sum()
    rejected = 0
    for _ in range(2_000):
        reference, current = rng.multinomial(n, probabilities), rng.multinomial(m, probabilities)
        known = reference > 0
        reference = np.append(reference[known], 0)
        current = np.append(current[known], current[~known].sum())
        if pool:
            group = pool_rare(reference, current)
            reference, current = (np.bincount(group, side) for side in (reference, current))
        rejected += chi_square(reference, current).log_pvalue < math.log(0.05)
    return rejected / 2_000


@pytest.mark.parametrize(
    ("n", "m", "flatness"),
    [(200, 200, 1.2), (5_000, 300, 1.2), (300, 5_000, 1.2), (30_000, 300, 0.0), (100_000, 40, 0.5)],
)
def test_without_drift_pooled_categories_reject_as_often_as_they_say(n: int, m: int, flatness: float) -> None:
    # Four standard errors of a share of .05 among 2,000: sqrt(.05 * .95 / 2000) = 0.0049.
    assert share_rejected(n, m, pool=True, flatness=flatness) == pytest.approx(0.05, abs=4 * 0.0049)


def test_without_pooling_new_categories_alone_would_reject_far_too_often() -> None:
    assert share_rejected(300, 5_000, pool=False) > 0.5
