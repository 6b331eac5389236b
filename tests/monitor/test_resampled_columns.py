"""Effect sizes of resampled counts have the laws of those of rows."""

from __future__ import annotations

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.monitor.resampled_columns import resampled_column
from gpudrift.stats import chi_square, hellinger, js_distance, psi

N, M, PAIRS = 20_000, 2_000, 20_000


@pytest.fixture(scope="module")
def profile() -> gd.Profile:
    rng = np.random.default_rng(0)
    return gd.profile(
        {
            "normal": rng.normal(size=N),
            "tails": rng.lognormal(0, 1.5, N),
            "few": rng.integers(0, 3, N),
            "category": np.array(list("abcdef"))[rng.integers(0, 6, N)],
        }
    )


def drawn(profile: gd.Profile, name: str) -> dict[str, np.ndarray]:
    """Effect sizes of pairs drawn from the reference's shares."""
    rng = np.random.default_rng(1)
    place = profile.columns.index(name)
    column = resampled_column(profile, place, rows=M, groups=10)
    whole = column.group(profile.reference.column(place))
    assert whole.sum() == N
    pairs = (rng.multinomial(n, whole / N, size=PAIRS) for n in (N, M))
    return dict(zip(column.statistics, column.effects(*pairs, rng).T, strict=True))


@pytest.mark.parametrize("name", ["normal", "tails"])
def test_ks_has_kolmogorovs_law(profile: gd.Profile, name: str) -> None:
    # quantiles of Kolmogorov's law: .8276 (one half), 1.2238 (.9), 1.6276 (.99)
    scaled = drawn(profile, name)["ks"] / np.sqrt(1 / N + 1 / M)
    assert np.quantile(scaled, [0.5, 0.9, 0.99]) == pytest.approx([0.8276, 1.2238, 1.6276], rel=0.02)


def test_ks_of_a_few_values_hides_nothing_between_them(profile: gd.Profile) -> None:
    # F - G is known at three values, so KS is smaller than Kolmogorov's law has it: simulated on rows
    rng = np.random.default_rng(2)
    p = np.full(3, 1 / 3)
    f, g = rng.multinomial(N, p, size=PAIRS), rng.multinomial(M, p, size=PAIRS)
    expected = np.abs(np.cumsum(f, axis=1) / N - np.cumsum(g, axis=1) / M).max(axis=1)
    found = drawn(profile, "few")["ks"]
    assert np.quantile(found, [0.5, 0.9, 0.99]) == pytest.approx(np.quantile(expected, [0.5, 0.9, 0.99]), rel=0.04)


@pytest.mark.parametrize(("name", "tolerance"), [("normal", 0.06), ("tails", 0.12)])
def test_wasserstein_is_as_large_as_that_of_rows(profile: gd.Profile, name: str, tolerance: float) -> None:
    # 300 windows of fresh rows, on the cells; ten groups and their tails stand for thousands of cells
    rng = np.random.default_rng(3)
    rows = {
        "normal": lambda: rng.normal(size=M),
        "tails": lambda: rng.lognormal(0, 1.5, M),
    }[name]
    fresh = [profile.compare(profile.count({name: rows()}))[name].wasserstein for _ in range(300)]
    found = drawn(profile, name)["wasserstein"]
    assert np.median(found) == pytest.approx(np.median(np.array(fresh, float)), rel=tolerance)
    assert np.quantile(found, 0.9) == pytest.approx(np.quantile(np.array(fresh, float), 0.9), rel=2 * tolerance)


def test_categories_are_measured_as_one_pair_is(profile: gd.Profile) -> None:
    rng = np.random.default_rng(4)
    place = profile.columns.index("category")
    column = resampled_column(profile, place, rows=M, groups=10)
    f, g = (np.append(rng.multinomial(n, [1 / 6] * 6), [0, 5]) for n in (N, M))
    found = dict(zip(column.statistics, column.effects(f[np.newaxis], g[np.newaxis], rng)[0].tolist(), strict=True))
    one = {"psi": psi, "js_distance": js_distance, "hellinger": hellinger}
    expected = {name: statistic(f[:6], g[:6]) for name, statistic in one.items()}
    expected["cramers_v"] = chi_square(f[:6], g[:6]).cramers_v
    expected["missing_rate"] = 5 / (M + 5) - 5 / (N + 5)
    assert found == pytest.approx(expected, rel=1e-12)


def test_too_few_values_give_no_effect_size(profile: gd.Profile) -> None:
    rng = np.random.default_rng(5)
    column = resampled_column(profile, 0, rows=M, groups=10)
    whole = column.group(profile.reference.column(0))
    few = np.zeros_like(whole)
    few[0], few[-1] = 29, 100
    found = dict(zip(column.statistics, column.effects(whole[np.newaxis], few[np.newaxis], rng)[0], strict=True))
    assert [name for name, value in found.items() if not np.isnan(value)] == ["missing_rate"]
