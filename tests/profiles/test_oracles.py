"""check_drift against scipy and NumPy on the rows themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.distance import jensenshannon

import gpudrift as gd

NAMES = ("normal", "lognormal, sigma 1", "t(2)", "zero-inflated 30%", "Poisson", "prices", "constant plus noise")


@pytest.mark.parametrize("name", NAMES)
def test_exact_ks_and_wasserstein_equal_scipy(
    name: str, reference_columns: dict[str, NDArray[Any]], current_columns: dict[str, NDArray[Any]]
) -> None:
    reference, current = reference_columns[name], current_columns[name] * 1.05
    feature = gd.check_drift(reference=reference, current=current.astype(np.float64), exact=True, columns=["x"])["x"]
    assert feature.ks is not None
    assert feature.ks.exact
    assert feature.ks.statistic == pytest.approx(
        stats.ks_2samp(reference, current, method="asymp").statistic, abs=1e-12
    )
    en = reference.size * current.size / (reference.size + current.size)
    log_p = stats.kstwobign.logsf(np.sqrt(en) * feature.ks.statistic)
    if log_p > -700:  # scipy underflows below
        assert feature.ks.log_pvalue == pytest.approx(log_p, rel=1e-9)
    expected = stats.wasserstein_distance(reference, current) / np.std(reference)
    assert feature.wasserstein == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_wasserstein_from_counts_holds_the_exact_one(
    name: str, reference_columns: dict[str, NDArray[Any]], current_columns: dict[str, NDArray[Any]]
) -> None:
    reference, current = reference_columns[name].astype(np.float64), current_columns[name] * 1.05
    feature = gd.check_drift(reference=reference, current=current, columns=["x"])["x"]
    assert feature.wasserstein is not None
    assert feature.wasserstein_lower is not None
    assert feature.wasserstein_upper is not None
    # the scale, std(reference), comes from the counts too: within half a percent of the exact one
    expected = stats.wasserstein_distance(reference, current) / np.std(reference)
    assert feature.wasserstein_lower * 0.995 <= expected <= feature.wasserstein_upper * 1.005
    assert feature.wasserstein_lower <= feature.wasserstein <= feature.wasserstein_upper


@pytest.mark.parametrize("name", NAMES)
def test_psi_js_and_hellinger_follow_from_the_bins_by_their_definitions(
    name: str, reference_columns: dict[str, NDArray[Any]], current_columns: dict[str, NDArray[Any]]
) -> None:
    feature = gd.check_drift(reference=reference_columns[name], current=(current_columns[name] * 1.05), columns=["x"])[
        "x"
    ]
    bins = np.array([(b.reference, b.current) for b in feature.bins if b.reference + b.current])
    shares = (bins + 0.5) / (bins.sum(axis=0) + 0.5 * len(bins))
    psi = np.sum((shares[:, 1] - shares[:, 0]) * np.log(shares[:, 1] / shares[:, 0]))
    p, q = (bins / bins.sum(axis=0)).T
    assert feature.psi == pytest.approx(psi, abs=1e-12)
    assert feature.js_distance == pytest.approx(jensenshannon(p, q, base=2), abs=1e-12)
    assert feature.hellinger == pytest.approx(np.sqrt(1 - np.sum(np.sqrt(p * q))), abs=1e-9)


def test_bins_of_a_continuous_column_are_the_deciles_of_numpy() -> None:
    reference = np.random.default_rng(0).normal(size=100_000)
    feature = gd.check_drift(reference=reference, current=reference)["x"]
    exact = np.quantile(reference, np.arange(1, 10) / 10)
    shares = np.array([b.reference for b in feature.bins]) / 100_000
    assert feature.psi_bins == 10
    np.testing.assert_allclose(shares, 0.1, atol=1 / 1024)
    inner = [float(b.label.strip("(<=]").split(",")[-1].strip(" ]")) for b in feature.bins[:-1]]
    np.testing.assert_allclose(inner, exact, atol=0.01)


def test_bin_counts_are_those_of_numpy_histogram_on_the_same_edges() -> None:
    rng = np.random.default_rng(1)
    reference, current = rng.integers(0, 1000, 20_000), rng.integers(100, 1100, 20_000)
    feature = gd.check_drift(reference=reference, current=current, columns=["x"])["x"]
    ends = np.sort(reference)[-(-np.arange(1, 10) * 20_000 // 10) - 1]
    edges = np.concatenate([[-np.inf], ends + 0.5, [np.inf]])
    assert [b.reference for b in feature.bins] == np.histogram(reference, edges)[0].tolist()
    assert [b.current for b in feature.bins] == np.histogram(current, edges)[0].tolist()


def test_an_atom_has_a_bin_of_its_own() -> None:
    # zero-inflated: with plain decile bins the current's zeros would fall in with the rest and PSI be 0
    rng = np.random.default_rng(2)
    reference = np.where(rng.random(20_000) < 0.6, 0.0, rng.lognormal(size=20_000))
    current = np.where(rng.random(20_000) < 0.3, 0.0, rng.lognormal(size=20_000))
    feature = gd.check_drift(reference=reference, current=current)["x"]
    zero = next(b for b in feature.bins if b.label == "0")
    assert zero.reference == np.sum(reference == 0)
    assert zero.current == np.sum(current == 0)
    assert feature.psi > 0.25


def test_chi_square_of_common_categories_equals_scipy() -> None:
    rng = np.random.default_rng(3)
    reference, current = rng.choice(list("abcd"), 3000), rng.choice(list("abcd"), 2000, p=[0.3, 0.3, 0.2, 0.2])
    feature = gd.check_drift(reference={"c": reference}, current={"c": current})["c"]
    table = np.array([[np.sum(side == c) for c in "abcd"] for side in (reference, current)])
    expected = stats.chi2_contingency(table, correction=False)
    assert feature.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert feature.cramers_v == pytest.approx(np.sqrt(expected.statistic / 5000), rel=1e-12)


def test_numbers_from_parts_equal_numbers_from_the_whole() -> None:
    rng = np.random.default_rng(4)
    reference, current = rng.lognormal(size=30_000), rng.lognormal(0.1, size=30_000)
    profile = gd.profile(reference)
    parts = sum(
        (profile.count(part) for part in np.array_split(current, 7)[1:]), profile.count(np.array_split(current, 7)[0])
    )
    assert profile.compare(parts).to_dict() == gd.check_drift(reference=reference, current=current).to_dict()
