"""Row weights: exact sums, the answers of repeated rows, tests by the effective number of rows."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpudrift as gd
from gpudrift.errors import DataError
from gpudrift.frames import Batch
from gpudrift.profiles.weights import RowWeights, squares_by_group
from gpudrift_kernels.backend import get_backend


def rows(n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    x[::40] = np.nan
    x[1::70] = np.inf
    return {
        "x": x,
        "price": np.round(rng.gamma(2, 20, n), 2).astype(np.float32),
        "visits": rng.poisson(3, n),
        "plan": rng.choice(np.array(["free", "paid", "team", None], object), n),
        "w": rng.integers(0, 6, n),
    }


def repeated(table: dict[str, Any]) -> dict[str, Any]:
    return {name: np.repeat(values, table["w"]) for name, values in table.items() if name != "w"}


def test_whole_weights_answer_as_repeated_rows():
    """Shares and distances to 1e-9; PSI, KL and the tests smooth and judge by the effective rows, which are fewer."""
    reference, current = rows(8000, 0), rows(3000, 1)
    found = gd.check_drift(reference=reference, current=current, weights="w")
    # Bins are those of the rows, whatever they weigh: so the repeated rows are counted over the same profile.
    profile = gd.profile(reference, weights="w")
    plain = gd.profile({k: v for k, v in reference.items() if k != "w"})
    assert [p.name for p in profile.plans] == [p.name for p in plain.plans] == ["x", "price", "visits", "plan"]
    sides = [plain.count(repeated(side)) for side in (reference, current)]
    for f, name in enumerate(profile.columns):
        for weighted, side in zip((profile.reference, profile.count(current)), sides, strict=True):
            counters, weights = weighted.weight(f)
            exact = dict(zip(*(part.tolist() for part in side.column(f)), strict=True))
            unit = Fraction(2) ** profile.weight_exponent
            assert {k: w * unit for k, w in zip(counters.tolist(), weights.tolist(), strict=True) if w} == exact, name
    for name, one in found.items():
        f, g = (np.array([getattr(b, side) for b in one.bins]) for side in ("reference", "current"))
        f, g = f / f.sum(), g / g.sum()
        assert one.total_variation == pytest.approx(abs(f - g).sum() / 2, abs=1e-9)
        assert one.l_infinity == pytest.approx(abs(f - g).max(), abs=1e-9)
        assert one.hellinger == pytest.approx(math.sqrt(max(0, 1 - np.sqrt(f * g).sum())), abs=1e-7)
        assert one.current.missing_rate == pytest.approx(
            np.average(missing(current[name]), weights=current["w"]), abs=1e-12
        )
    assert found["x"].n_current == 3000


def missing(values: Any) -> Any:
    return np.array([v is None or v != v for v in values.tolist()])


def test_shares_by_weight_are_those_of_repeated_rows():
    """The reference's weights are all 1, so that bins are the same on both sides of the comparison."""
    reference, current = rows(8000, 0), rows(3000, 1)
    one = gd.profile(reference | {"w": np.ones(8000)}, weights="w")
    one = one.compare(one.count(current))
    del reference["w"]
    other = gd.profile(reference)
    other = other.compare(other.count(repeated(current)))
    for name in other:
        for statistic in ("js_distance", "hellinger", "total_variation", "l_infinity", "wasserstein"):
            expected = getattr(other[name], statistic)
            if expected is not None and name != "plan":  # whose rare categories are pooled by effective rows
                assert getattr(one[name], statistic) == pytest.approx(expected, abs=1e-9), (name, statistic)
        if other[name].ks:
            assert one[name].ks.lower == pytest.approx(other[name].ks.lower, abs=1e-9)
            assert one[name].ks.upper == pytest.approx(other[name].ks.upper, abs=1e-9)
            assert one[name].mean_change.value == pytest.approx(other[name].mean_change.value, abs=1e-9)
            assert one[name].std_change.value == pytest.approx(other[name].std_change.value, abs=1e-9)
        assert one[name].missing_rate_current == pytest.approx(other[name].missing_rate_current, abs=1e-12)


@pytest.mark.parametrize("factor", [1e-300, 1e-9, 1, 7.3, 1e250])
def test_the_unit_of_weights_does_not_matter(factor):
    reference, current = rows(4000, 0), rows(2000, 1)
    plain = gd.check_drift(reference=reference, current=current, weights="w")
    scaled = [side | {"w": side["w"] * factor} for side in (reference, current)]
    found = gd.check_drift(reference=scaled[0], current=scaled[1], weights="w")
    assert found.problems == plain.problems
    for name in plain:
        for statistic, value in plain[name].statistics.items():
            assert found[name].statistics[statistic] == pytest.approx(value, abs=1e-6)  # 30 bits of a weight
        assert found[name].log_p_value == pytest.approx(plain[name].log_p_value, rel=1e-4, abs=1e-6)


def test_equal_weights_are_none_at_all():
    reference, current = rows(4000, 0), rows(2000, 1)
    even = [side | {"w": np.full(len(side["w"]), 3.0)} for side in (reference, current)]
    found = gd.check_drift(reference=even[0], current=even[1], weights="w")
    plain = gd.check_drift(
        **{k: {n: v for n, v in side.items() if n != "w"}
           for k, side in (("reference", reference), ("current", current))}
    )  # fmt: skip
    for name in plain:
        assert found[name].log_p_value == pytest.approx(plain[name].log_p_value, rel=1e-9, abs=1e-12)
        assert found[name].psi == pytest.approx(plain[name].psi, rel=1e-9)
        assert found[name].current.n_effective == pytest.approx(2000)


def test_the_effective_rows_are_those_of_kish():
    current = rows(2000, 1)
    profile = gd.profile(rows(4000, 0), weights="w")
    w = current["w"].astype(float)
    assert profile.count(current).n_effective == pytest.approx(w.sum() ** 2 / (w**2).sum(), rel=1e-12)


def test_counts_with_weights_add_and_subtract_to_the_bit():
    rng = np.random.default_rng(0)
    weights = rng.lognormal(0, 2, 6000)
    table = rows(6000, 1) | {"w": weights}
    profile = gd.profile(rows(4000, 0) | {"w": rng.lognormal(0, 2, 4000)}, weights="w")
    whole = profile.count(table)
    order = rng.permutation(6000)
    parts = [profile.count({k: v[part] for k, v in table.items()}) for part in np.array_split(order, 7)]
    total = parts[3]
    for part in (*parts[:3], *parts[4:]):
        total = total + part
    assert total == whole
    assert total.squares == whole.squares
    for part in parts[1:]:
        total = total - part
    assert total == parts[0]


def test_what_was_not_added_cannot_be_subtracted():
    table = rows(500, 1)
    profile = gd.profile(table, weights="w")
    heavier = profile.count(table | {"w": table["w"] + 1})
    with pytest.raises(DataError, match="are not part of these; subtract what was added"):
        profile.count(table) - heavier
    with pytest.raises(DataError, match="with weights and without cannot be combined"):
        profile.count(table) + replace(profile.count(table), weights=None)
    with pytest.raises(DataError, match="was made without weights; make it again with weights='w'"):
        gd.profile({"x": np.arange(9.0)}).count({"x": np.arange(9.0), "w": np.ones(9)}, weights="w")


def test_threads_and_batches_give_the_same_bits():
    rng = np.random.default_rng(0)
    n = 300_000
    table = {"x": rng.normal(size=n), "k": rng.integers(0, 50, n), "c": rng.choice(list("abc"), n),
             "w": rng.lognormal(0, 1, n)}  # fmt: skip
    profiles = [gd.profile(table, weights="w", backend=get_backend("cpu", threads=t)) for t in (1, 8)]
    assert profiles[0].profile_id == profiles[1].profile_id
    assert profiles[0].reference == profiles[1].reference
    order = rng.permutation(n)
    stream = pa.table({k: v[order] for k, v in table.items()}).to_reader(max_chunksize=1111)
    assert profiles[0].count(stream, backend=get_backend("cpu", threads=8)) == profiles[1].reference


def test_a_profile_remembers_its_weights(tmp_path):
    reference, current = rows(4000, 0) | {"w": np.random.default_rng(5).exponential(size=4000)}, rows(2000, 1)
    profile = gd.profile(reference, weights="w")
    profile.save(tmp_path / "champion.gdp")
    loaded = gd.load_profile(tmp_path / "champion.gdp")
    assert (loaded.weights, loaded.weight_exponent) == ("w", profile.weight_exponent)
    assert loaded.reference == profile.reference
    assert loaded.profile_id == profile.profile_id
    assert loaded.count(current) == profile.count(current, weights="w")
    fresh = gd.check_drift(reference=reference, current=current, weights="w")
    for settings in ({}, {"weights": "w"}):
        found = gd.check_drift(reference=str(tmp_path / "champion.gdp"), current=current, **settings)
        assert found.to_dict() == fresh.to_dict()
    assert "w" not in fresh


def test_rows_of_no_weight_do_not_count():
    reference, current = rows(4000, 0), rows(2000, 1)
    moved = {k: v.copy() for k, v in current.items()}
    out = moved["w"] == 0
    moved["x"][out] = 1e9
    moved["plan"][out] = "new"
    one, other = (gd.check_drift(reference=reference, current=side, weights="w") for side in (current, moved))
    for name in ("x", "plan", "visits"):
        assert other[name].js_distance == pytest.approx(one[name].js_distance, abs=1e-12)
    assert other["x"].ks.statistic == pytest.approx(one["x"].ks.statistic, abs=1e-12)
    assert other["plan"].new_rate == pytest.approx(one["plan"].new_rate, abs=1e-12)


def test_a_few_heavy_rows_are_too_few_for_a_verdict():
    reference, current = rows(4000, 0), rows(2000, 1)
    current["w"] = np.where(np.arange(2000) < 5, 4000, 1)
    report = gd.check_drift(reference=reference, current=current, weights="w")
    assert report["visits"].current.n_effective == pytest.approx(6.05, abs=0.01)
    assert not report["visits"].judged
    assert "visits: has values in the current data that say as much as 6.05 of equal weight, too few" in str(report)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**40)), min_size=0, max_size=50),
)
def test_squares_of_a_group_are_exact(pairs):
    groups = np.array([g for g, _ in pairs], np.int32)
    units = np.array([u for _, u in pairs], np.int64)
    assert squares_by_group(units, groups, 3) == [sum(u * u for g, u in pairs if g == k) for k in range(3)]


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=30),
    st.integers(-1100, 1000),
)
def test_any_weights_are_counted_or_refused(values, exponent):
    """Never a warning, a negative unit or a sum that wraps round."""
    weights = RowWeights("w", exponent, "current")
    try:
        units = weights.units(Batch({"w": np.array(values)}, len(values)))
        weights.problems()
    except DataError:
        return
    assert units.min() >= 0
    assert weights.total == sum(units.tolist()) > 0
    valid = [v for v in values if math.isfinite(v) and v >= 0]
    assert weights.n_invalid == len(values) - len(valid)
    exact = sum(map(Fraction, valid)) / Fraction(2) ** exponent
    assert abs(weights.total - exact) <= len(values) / 2
