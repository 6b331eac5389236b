"""The baselines must be right, or a ratio to them means nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from gpudrift.bench import numpy_drift

samples = st.builds(
    lambda seed, n, step, shift: np.round((np.random.default_rng(seed).standard_normal(n) + shift) / step) * step,
    st.integers(0, 99),
    st.integers(3, 6_000),
    st.sampled_from([1e-12, 0.01, 0.5]),
    st.floats(-1, 1),
)


@given(samples, samples)
@settings(max_examples=60, deadline=None)
def test_every_ks_is_that_of_scipy(reference: np.ndarray, current: np.ndarray) -> None:
    exact = ks_2samp(reference, current, method="asymp").statistic
    interval = numpy_drift.fast(reference, current)
    assert numpy_drift.plain(reference, current).ks_lower == pytest.approx(exact, abs=1e-12)
    assert numpy_drift.fast(reference, current, exact=True).ks_lower == pytest.approx(exact, abs=1e-12)
    assert interval.ks_lower - 1e-12 <= exact <= interval.ks_upper + 1e-12


def test_the_interval_is_as_narrow_as_that_of_gpudrift() -> None:
    reference, current = np.random.default_rng(0).standard_normal((2, 20_000))
    interval = numpy_drift.fast(reference, current)
    assert interval.ks_upper - interval.ks_lower <= 1 / 1024


def test_psi_and_js_are_those_of_the_bins() -> None:
    p, q = np.array([10, 20, 70, 0]), np.array([30, 0, 60, 10])
    psi, js = numpy_drift.psi_js(p, q)
    smooth_p, smooth_q = (p + 0.5) / 102, (q + 0.5) / 102
    assert psi == pytest.approx(np.sum((smooth_q - smooth_p) * np.log(smooth_q / smooth_p)), abs=1e-12)
    assert js == pytest.approx(jensenshannon(p, q, base=2), abs=1e-12)


def test_bins_end_at_the_distinct_deciles_of_the_reference() -> None:
    f = np.arange(20.0)
    p, q = numpy_drift.decile_counts(f, f[::2])
    assert p.tolist() == [2] * 10
    assert q.tolist() == [1] * 10


def test_both_ways_and_threads_agree() -> None:
    reference, current = np.random.default_rng(0).standard_normal((2, 5_000))
    plain = numpy_drift.plain(reference, current)
    with ThreadPoolExecutor(2) as pool:
        assert numpy_drift.fast(reference, current, exact=True, spread=pool.map) == pytest.approx(plain, abs=1e-12)
