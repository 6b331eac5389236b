from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gpudrift_kernels import reference
from gpudrift_kernels.cells import DTYPES, MAX_CUTS, SHAPES, CellPlan
from gpudrift_kernels.cpu.histogram import index_of
from gpudrift_kernels.errors import PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@st.composite
def plans_and_values(draw: st.DrawFn) -> tuple[CellPlan, NDArray[Any]]:
    """Any plan that may be made, with values about its cuts and its centre and anywhere else."""
    dtype = draw(st.sampled_from(DTYPES))
    floating = dtype.startswith("float")
    finite = hnp.from_dtype(np.dtype(dtype), **({"allow_nan": False, "allow_infinity": False} if floating else {}))
    centre = draw(finite)
    top = 126 if dtype == "float32" else 1022
    cuts = np.unique(np.array(draw(st.lists(finite, max_size=40)), dtype))
    bits, octaves = draw(st.sampled_from(SHAPES))
    exponent = draw(st.integers(-top, top))
    integral = floating and draw(st.booleans())
    plan = CellPlan(dtype, centre.item(), exponent, bits, octaves, integral, cuts)
    anywhere = draw(st.lists(hnp.from_dtype(np.dtype(dtype)), max_size=20))
    return plan, np.concatenate([np.array(anywhere, dtype), cuts, np.array([centre, 0], dtype)])


@given(plans_and_values())
def test_any_plan_gives_any_value_the_index_of_the_reference(case: tuple[CellPlan, NDArray[Any]]) -> None:
    plan, values = case
    np.testing.assert_array_equal(index_of(values, plan), reference.index_of(values, plan))


@given(plans_and_values())
def test_under_any_plan_a_larger_value_has_no_smaller_index(case: tuple[CellPlan, NDArray[Any]]) -> None:
    plan, values = case
    assert np.all(np.diff(index_of(np.sort(values[np.isfinite(values)]), plan)) >= 0)


def test_a_larger_value_has_no_smaller_index(plan: CellPlan, hostile: NDArray[Any]) -> None:
    index = index_of(np.sort(hostile[np.isfinite(hostile)]), plan)
    assert np.all(np.diff(index) >= 0)
    assert index[0] >= 0
    assert index[-1] < plan.n_index


def test_every_value_above_a_cut_has_a_larger_index_than_the_ones_below(plan: CellPlan) -> None:
    at = index_of(plan.cuts, plan)
    assert np.all(np.diff(at) > 0)


def test_both_zeros_have_one_index(plan: CellPlan) -> None:
    if not plan.wide:
        assert np.ptp(index_of(np.array([0.0, -0.0], plan.dtype), plan)) == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("bits", "octaves"), SHAPES)
def test_the_cells_on_both_sides_of_the_centre_mirror_each_other(dtype: str, bits: int, octaves: int) -> None:
    distances = np.unique(np.geomspace(1, 2**20, 2_000).astype(np.int64))  # exact on both sides of the centre
    plan = CellPlan(dtype, 2**21, 6, bits, octaves)
    above = index_of((2**21 + distances).astype(dtype), plan)
    below = index_of((2**21 - distances).astype(dtype), plan)
    np.testing.assert_array_equal(above + below, plan.n_cells - 1)


def test_an_integer_is_alone_in_its_cell_of_an_integral_plan() -> None:
    plan = CellPlan("float64", 0.0, 8, 11, 3, integral=True)
    whole = np.arange(-200.0, 200.0)
    below, at, above = (index_of(v, plan) for v in (np.nextafter(whole, -np.inf), whole, np.nextafter(whole, np.inf)))
    assert np.all(below < at)
    assert np.all(at < above)


def test_neighbours_beyond_two_to_the_53_stay_apart() -> None:
    centre = 2**60
    plan = CellPlan("int64", centre, 0, 11, 3)
    assert np.all(np.diff(index_of(np.arange(centre - 5, centre + 5), plan)) > 0)


def test_the_scale_is_a_power_of_two_of_the_working_type() -> None:
    plan = CellPlan("float32", 0.0, 126, 11, 3)
    assert plan.scale.dtype == np.float32
    assert plan.scale == np.finfo(np.float32).tiny
    assert CellPlan("int64", 0, -3, 11, 3).scale == np.float64(8)


def test_cuts_are_a_copy_that_nobody_can_change() -> None:
    cuts = np.array([1.0, 2.0])
    plan = CellPlan("float64", 0.0, 0, 11, 3, cuts=cuts)
    cuts[0] = 7
    assert plan.cuts[0] == 1
    assert not plan.cuts.flags.writeable


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dtype": "int32"}, "dtype must be one of"),
        ({"bits": 12}, r"\(bits, octaves\) must be one of"),
        ({"exponent": 127}, "exponent must be within 126 of 0, got 127"),
        ({"exponent": -127}, "exponent must be within 126 of 0, got -127"),
        ({"dtype": "int64", "integral": True}, "integral is for floating types, got int64"),
        ({"centre": float("nan")}, "centre nan is outside float32"),
        ({"centre": 1e39}, "centre 1e\\+39 is outside float32"),
        ({"dtype": "uint64", "centre": -1}, "centre -1 is outside uint64"),
        ({"dtype": "int64", "centre": 0.5}, "centre must be an int for int64, got 0.5"),
        ({"cuts": np.array([2.0, 1.0])}, "in ascending order"),
        ({"cuts": np.array([1.0, 1.0])}, "distinct finite values"),
        ({"cuts": np.array([np.nan])}, "distinct finite values"),
        ({"cuts": np.array([np.inf])}, "distinct finite values"),
        ({"cuts": np.zeros((1, 1))}, "distinct finite values"),
        ({"cuts": np.arange(MAX_CUTS + 1)}, f"at most {MAX_CUTS}"),
    ],
)
def test_a_plan_that_no_sample_could_have_given_is_refused(changed: dict[str, Any], message: str) -> None:
    good = {"dtype": "float32", "centre": 0, "exponent": 0, "bits": 11, "octaves": 3}
    with pytest.raises(PlanError, match=message):
        CellPlan(**{**good, **changed})
