from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gpudrift.stats import CORRECTIONS, benjamini_hochberg, bonferroni, uncorrected

if TYPE_CHECKING:
    from numpy.typing import NDArray

log_pvalues = arrays(
    np.float64,
    st.integers(0, 30),
    elements=st.one_of(st.floats(-2000, 0), st.floats(-8, 0), st.just(math.nan), st.just(-math.inf)),
)


@given(st.integers(0, 2**32), st.integers(1, 40), st.sampled_from([0.01, 0.05, 0.2]))
def test_benjamini_hochberg_equals_the_verdicts_of_scipy(seed: int, tests: int, alpha: float) -> None:
    p = np.random.default_rng(seed).beta(0.3, 2.0, size=tests)
    expected = scipy.stats.false_discovery_control(p) <= alpha
    assert benjamini_hochberg(np.log(p), alpha).tolist() == expected.tolist()


def test_benjamini_hochberg_steps_up_over_a_gap() -> None:
    # .04 and .045 miss their own lines of .0167 and .0333 in this order, yet .045 <= .05 carries all three.
    assert benjamini_hochberg(np.log([0.045, 0.04, 0.03]), 0.05).tolist() == [True, True, True]
    assert bonferroni(np.log([0.045, 0.04, 0.03]), 0.05).tolist() == [False, False, False]


def test_p_values_far_below_the_smallest_double_are_still_told_apart() -> None:
    assert benjamini_hochberg(np.array([-1e9, -0.1, -2e9]), 0.05).tolist() == [True, False, True]


@pytest.mark.parametrize("name", CORRECTIONS)
@given(log_pvalues)
def test_untested_features_are_never_rejected_and_never_counted(name: str, values: NDArray[np.float64]) -> None:
    tested = ~np.isnan(values)
    rejected = CORRECTIONS[name](values, 0.05)
    assert not rejected[~tested].any()
    assert rejected[tested].tolist() == CORRECTIONS[name](values[tested], 0.05).tolist()


@given(log_pvalues, st.sampled_from([0.01, 0.05, 1.0]))
def test_bonferroni_rejects_least_and_no_correction_most(values: NDArray[np.float64], alpha: float) -> None:
    strict, middle = bonferroni(values, alpha), benjamini_hochberg(values, alpha)
    assert not (strict & ~middle).any()
    assert not (middle & ~uncorrected(values, alpha)).any()


@pytest.mark.parametrize("name", CORRECTIONS)
def test_no_tests_give_no_rejections(name: str) -> None:
    assert CORRECTIONS[name](np.array([]), 0.05).tolist() == []
    assert CORRECTIONS[name](np.array([math.nan, math.nan]), 0.05).tolist() == [False, False]


@pytest.mark.parametrize("name", CORRECTIONS)
def test_one_test_is_decided_by_alpha_itself(name: str) -> None:
    assert CORRECTIONS[name](np.log([0.049]), 0.05).tolist() == [True]
    assert CORRECTIONS[name](np.log([0.051]), 0.05).tolist() == [False]


@pytest.mark.parametrize("name", CORRECTIONS)
@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.5, math.nan])
def test_an_alpha_that_is_no_probability_is_refused(name: str, alpha: float) -> None:
    with pytest.raises(ValueError, match=r"alpha must lie in \(0, 1\], got"):
        CORRECTIONS[name](np.array([-1.0]), alpha)


def test_the_corrections_are_found_by_the_names_of_the_settings() -> None:
    assert list(CORRECTIONS) == ["benjamini-hochberg", "bonferroni", "none"]
