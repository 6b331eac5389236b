"""What many windows say together: their distances, where they changed, and the past that is most like the present."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.errors import DataError
from gpudrift.monitor.regimes import change, credible, distances

from .conftest import NOW


def stream(n: int, seed: int) -> dict[str, Any]:
    """Numbers and categories that may move, a column without any value, and one whose first quarter has none."""
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=n),
        "plan": rng.choice(list("abc"), n),
        "missing": np.full(n, np.nan),
        "late": np.where(np.arange(n) < n // 4, np.nan, rng.normal(size=n)),
    }


def windows(reference: Any, current: Any, **settings: Any) -> Any:
    return gd.check_drift(reference=reference, current=current, now=NOW, **({"window": "500 rows"} | settings)).windows


@pytest.fixture(scope="module")
def moved() -> Any:
    """Summer from row 2,000, winter again from row 3,000, in a year of 4,000."""
    current = stream(4000, 1)
    current["x"][2000:3000] += 3
    return windows(stream(4000, 0), current)


def test_the_matrix_is_symmetric_and_knows_who_is_alike(moved):
    matrix = moved.matrix("x")
    assert matrix.shape == (8, 8)
    np.testing.assert_array_equal(matrix, matrix.T)
    assert not matrix.diagonal().any()
    summer = np.isin(np.arange(8), (4, 5))
    assert matrix[np.ix_(summer, ~summer)].min() > 0.7 > 0.2 > matrix[np.ix_(~summer, ~summer)].max()


def test_a_column_without_values_spoils_no_mean(moved):
    assert np.isnan(moved.matrix("missing")).all()
    mean = (moved.matrix("x") + moved.matrix("plan") + moved.matrix("late")) / 3
    np.testing.assert_allclose(moved.matrix()[2:, 2:], mean[2:, 2:], atol=1e-12)
    np.testing.assert_allclose(moved.matrix()[:2, 2:], ((moved.matrix("x") + moved.matrix("plan")) / 2)[:2, 2:])


def test_regimes_end_where_the_stream_changed_and_winter_is_most_like_winter(moved):
    assert [(regime.start, regime.end, regime.n_rows) for regime in moved.regimes] == [
        (0, 2000, 2000), (2000, 3000, 1000), (3000, 4000, 1000)
    ]  # fmt: skip
    likeness = moved.nearest()
    assert likeness.regime == moved.regimes[0]
    assert likeness.distance < 0.1
    found = moved.change_point("x")
    assert found.at in (2000, 3000)
    assert found.probability > 0.999
    assert found.feature == "x"


def test_where_nothing_changed_there_is_one_regime_and_no_nearest():
    still = windows(stream(4000, 0), stream(4000, 1), columns=["x", "plan"])
    assert [(regime.start, regime.end) for regime in still.regimes] == [(0, 4000)]
    assert still.nearest() is None
    assert still.change_point().probability < 0.05


def test_nothing_to_compare_has_no_nearest():
    current = stream(2000, 1)
    current = {"x": np.r_[np.full(1000, np.nan), current["x"][:1000]], "y": np.r_[current["x"][:1000], [np.nan] * 1000]}
    report = windows({"x": stream(2000, 0)["x"], "y": stream(2000, 2)["x"]}, current)
    assert report.nearest() is None
    assert np.isnan(report.matrix()[0, -1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": "4000 rows"}, "a change needs at least two windows, there are 1; make them shorter"),
        ({"window": "1000 rows", "every": "500 rows"}, "windows that overlap have no change between them"),
        ({"expanding": True}, "windows that overlap have no change between them; leave every and expanding out"),
    ],
)
def test_windows_that_cannot_change_are_refused(settings, message):
    report = windows(stream(4000, 0), stream(4000, 1), **settings)
    for question in (report.change_point, report.nearest, lambda: report.regimes):
        with pytest.raises(DataError, match=message):
            question()


@pytest.mark.parametrize("name", ["x", "plan"])
def test_values_that_go_missing_are_a_change(name):
    current = stream(4000, 1)
    gone = np.flatnonzero(np.random.default_rng(2).random(2000) < 0.3) + 2000
    current[name] = current[name].astype(object)
    current[name][gone] = None
    found = windows(stream(4000, 0), current, columns=["x", "plan"])
    for feature in (name, None):
        assert found.change_point(feature).at == 2000
        assert found.change_point(feature).probability > 0.999


def test_an_unknown_feature_is_refused(moved):
    with pytest.raises(DataError, match="no feature 'plam' was compared"):
        moved.change_point("plam")
    with pytest.raises(DataError, match="no feature 'plam' was compared"):
        moved.matrix("plam")


def test_the_posterior_of_a_change_is_that_of_its_definition():
    """By hand: the marginal likelihood of a beta-binomial on each side of every place."""
    counts = np.array([[9, 3], [6, 6], [5, 7]])

    def evidence(rows: Any) -> float:
        a, b = rows.sum(axis=0) + 0.5
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b) - 2 * math.lgamma(0.5) + math.lgamma(1)

    split = np.array([evidence(counts[:k]) + evidence(counts[k:]) for k in (1, 2)])
    where, any_change = change([counts])
    np.testing.assert_allclose(where, np.exp(split) / np.exp(split).sum())
    odds = np.exp(split).mean() / np.exp(evidence(counts))
    assert any_change == pytest.approx(odds / (1 + odds))


def test_of_many_features_each_takes_part_in_a_change_with_its_share_of_the_odds():
    rng = np.random.default_rng(0)
    features = [rng.multinomial(60, [0.5, 0.3, 0.2], size=5) for _ in range(3)]
    odds = []
    for counts in features:
        where, any_change = change([counts])
        odds.append(where * 4 * any_change / (1 - any_change))
    where, any_change = change(features)
    together = np.prod([3 / 4 + one / 4 for one in odds], axis=0) - (3 / 4) ** 3
    together /= 1 - (3 / 4) ** 3
    np.testing.assert_allclose(where, together / together.sum())
    assert any_change / (1 - any_change) == pytest.approx(together.mean())


def test_odds_that_no_double_holds_still_have_a_likeliest_place():
    counts = np.array([[500_000, 500_000], [500_000, 500_000], [500_000, 502_000]]) * np.ones((1, 2), np.int64)
    where, any_change = change([np.repeat(counts, 400, axis=1)] * 3)
    assert where.sum() == pytest.approx(1)
    assert np.argmax(where) == 1
    assert any_change < 1e-300


def test_one_feature_that_moves_is_not_outvoted_by_those_that_stay():
    rng = np.random.default_rng(0)
    reference, current = ({f"x{f}": rng.normal(size=2000) for f in range(10)} for _ in range(2))
    current["x3"][1200:] += 0.5
    found = windows(reference, current, window="100 rows")
    assert found.change_point("x3").at == 1200
    assert found.change_point().at == 1200
    assert found.change_point().probability > 0.99
    assert [regime.end for regime in found.regimes] == [1200, 2000]


@pytest.mark.parametrize(("n_categories", "rows"), [(1000, 100), (200, 20), (8, 2)])
def test_windows_of_few_rows_in_many_categories_have_not_changed(n_categories, rows):
    rng = np.random.default_rng(0)
    reference, current = ({"id": rng.integers(0, n_categories, n).astype(str)} for n in (20_000, 12 * rows))
    found = windows(reference, current, window=f"{rows} rows")
    assert found.change_point().probability < 0.51
    assert len(found.regimes) == 1


def test_an_interval_holds_the_likeliest_places_up_to_its_level():
    assert credible(np.array([0.01, 0.02, 0.9, 0.06, 0.01])) == (2, 3)
    assert credible(np.array([1.0])) == (0, 0)


def test_distances_of_empty_ranges_are_not_known():
    found = distances({"x": np.array([[0, 0], [1, 3]])}, [(0, 1), (1, 2)])
    assert np.isnan(found[0]).all()
    assert found[1, 1] == 0
