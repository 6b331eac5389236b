from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels.boundaries import extents, rank_limits, to_rank
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import index_of
from gpudrift_kernels.planning import MAX_SHARE, plan_cells, plan_of_few, storage_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS, _SAMPLE = 400_000, 65_536
Column = Callable[[np.random.Generator], "NDArray[Any]"]


def _mixed(share: float, value: float, rng: np.random.Generator) -> NDArray[np.float64]:
    return np.where(rng.random(_ROWS) < share, value, rng.lognormal(size=_ROWS))


FLOATS: dict[str, Column] = {
    "normal": lambda rng: rng.normal(size=_ROWS),
    "normal far from 0": lambda rng: 1e4 + rng.normal(size=_ROWS),
    "lognormal sigma 1": lambda rng: rng.lognormal(size=_ROWS),
    "lognormal sigma 3": lambda rng: rng.lognormal(sigma=3, size=_ROWS),
    "t with 2 degrees of freedom": lambda rng: rng.standard_t(2, size=_ROWS),
    "Cauchy": lambda rng: rng.standard_cauchy(size=_ROWS),
    "uniform": lambda rng: rng.random(_ROWS),
    "Poisson": lambda rng: rng.poisson(4, size=_ROWS),
    "Poisson of a large mean": lambda rng: rng.poisson(100_000, size=_ROWS),
    "geometric": lambda rng: rng.geometric(0.1, size=_ROWS),
    "30% zero": lambda rng: _mixed(0.3, 0.0, rng),
    "60% zero": lambda rng: _mixed(0.6, 0.0, rng),
    "50% atom inside": lambda rng: _mixed(0.5, 1.25, rng),
    "bimodal": lambda rng: rng.normal(size=_ROWS) + rng.choice([-50.0, 50.0], _ROWS),
    "constant plus noise": lambda rng: np.where(rng.random(_ROWS) < 0.9, 1000.0, 1000 + 1e-3 * rng.normal(size=_ROWS)),
    "prices": lambda rng: np.round(rng.lognormal(3, 1, _ROWS), 2),
    "magnitudes": lambda rng: 10.0 ** rng.uniform(-30, 30, _ROWS),
    "signed magnitudes": lambda rng: 10.0 ** rng.uniform(-30, 30, _ROWS) * rng.choice([-1, 1], _ROWS),
    "two clusters a billion apart": lambda rng: rng.normal(size=_ROWS) * 1e-3 + rng.choice([0.0, 1e9], _ROWS),
    "subnormal": lambda rng: np.float32(1e-42) * rng.random(_ROWS),
}
INTEGERS: dict[str, Column] = {
    "timestamps in ns": lambda rng: 1_700_000_000 * 10**9 + rng.integers(0, 90 * 86_400 * 10**9, _ROWS),
    "timestamps to the second": lambda rng: (1_700_000_000 + rng.integers(0, 7 * 86_400, _ROWS)) * 10**9,
    "beyond 2**53": lambda rng: 2**60 + np.rint(rng.normal(0, 300, _ROWS)).astype(np.int64),
    "both ends": lambda rng: rng.choice(np.array([-(2**63), 2**63 - 1]), _ROWS),
    "full range": lambda rng: rng.integers(-(2**63), 2**63 - 1, _ROWS, np.int64, endpoint=True),
    "full unsigned range": lambda rng: rng.integers(0, 2**64 - 1, _ROWS, np.uint64, endpoint=True),
    "ids": lambda rng: 2**62 + np.arange(_ROWS),
}
COLUMNS = {
    **{f"{name}, {dtype}": (column, dtype) for name, column in FLOATS.items() for dtype in ("float32", "float64")},
    **{name: (column, None) for name, column in INTEGERS.items()},
}


@pytest.fixture(params=COLUMNS.values(), ids=COLUMNS.keys(), scope="module")
def column(request: pytest.FixtureRequest) -> NDArray[Any]:
    make, dtype = request.param
    values = make(np.random.default_rng(7))
    return values if dtype is None else values.astype(dtype)


def _largest_share(values: NDArray[Any], plan: CellPlan) -> float:
    """Share of the fullest index that holds more than one value of the dtype."""
    indices, counts = np.unique(index_of(values, plan), return_counts=True)
    first = to_rank(extents(indices, plan)[0], plan.dtype)
    following = to_rank(extents(indices + 1, plan)[0], plan.dtype)
    single = (following - first == 1) | ((following == first) & (first == rank_limits(plan.dtype)[1]))
    return float(counts[~single].max(initial=0)) / values.size


def test_a_plan_from_a_sample_bounds_every_cell_of_the_reference(column: NDArray[Any]) -> None:
    sample = np.random.default_rng(11).choice(column, _SAMPLE, replace=False)
    plan = plan_cells(np.sort(sample), whole=False)
    assert _largest_share(column, plan) <= 1 / 1024


def test_a_plan_from_the_whole_reference_bounds_every_cell(column: NDArray[Any]) -> None:
    plan = plan_cells(np.sort(column), whole=True)
    assert _largest_share(column, plan) <= 1 / 1024


def test_a_plan_of_a_small_reference_bounds_every_cell(column: NDArray[Any]) -> None:
    for n in (1, 2, 3, 7, 8, 9, 100, 1023, 1024, 1025, 3000):
        for whole in (True, False):
            plan = plan_cells(np.sort(column[:n]), whole=whole)
            assert _largest_share(column[:n], plan) <= (1 / 1024 if whole else 1 / 2048)


def test_smooth_columns_need_no_cut() -> None:
    sample = np.sort(np.random.default_rng(3).normal(size=_SAMPLE))
    plan = plan_cells(sample, whole=False)
    assert plan.cuts.size == 0
    assert (plan.bits, plan.octaves) == (11, 3)


def test_the_centre_is_a_multiple_of_a_quarter_of_the_scale(column: NDArray[Any]) -> None:
    plan = plan_cells(np.sort(column[:_SAMPLE]), whole=False)
    assert plan.typed_centre == plan.centre
    if not plan.wide:
        assert math.ldexp(plan.centre, 2 - plan.exponent).is_integer()
    elif plan.exponent > 2:
        ends = rank_limits("int64") if plan.dtype == "int64" else (0, 2**64 - 1)
        assert plan.centre % 2 ** (plan.exponent - 2) == 0 or plan.centre in ends


def test_samples_that_nearly_agree_give_one_plan() -> None:
    rng = np.random.default_rng(5)
    plans = [plan_cells(np.sort(rng.normal(0.3, 1.3, _SAMPLE)), whole=False) for _ in range(8)]
    assert {(plan.centre, plan.exponent, plan.bits) for plan in plans} == {(0.25, 0, 11)}


def test_an_integral_column_is_planned_as_such() -> None:
    whole = np.sort(np.random.default_rng(6).poisson(5.0, 10_000)).astype(np.float64)
    assert plan_cells(whole, whole=True).integral
    assert not plan_cells(np.append(whole, whole[-1] + 0.5), whole=True).integral
    assert not plan_cells(whole.astype(np.int64), whole=True).integral


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_an_empty_sample_gives_a_plan(dtype: str) -> None:
    plan = plan_cells(np.empty(0, dtype), whole=True)
    assert (plan.dtype, plan.centre, plan.cuts.size) == (dtype, 0, 0)


def _edges() -> dict[str, NDArray[Any]]:
    """Columns at the ends of their dtypes, in which a step overflows if it is not taken with care."""
    edges: dict[str, NDArray[Any]] = {}
    for dtype in ("float32", "float64"):
        info = np.finfo(dtype)
        largest, tiny = float(info.max), float(info.smallest_subnormal)
        spread = np.linspace(-1, 1, 5_001)
        edges |= {
            f"{dtype} all zero": np.zeros(100, dtype),
            f"{dtype} all largest": np.full(100, largest, dtype),
            f"{dtype} all smallest": np.full(100, -largest, dtype),
            f"{dtype} all subnormal": np.full(100, tiny, dtype),
            f"{dtype} one infinite IQR": (spread * largest).astype(dtype),
            f"{dtype} IQR beyond the dtype": np.repeat([-largest, largest], 50).astype(dtype),
            f"{dtype} IQR 0 and infinite distances": np.repeat([-largest, largest], [90, 10]).astype(dtype),
            f"{dtype} close to the largest": np.sort(largest * (1 - np.abs(spread) * 1e-3)).astype(dtype),
            f"{dtype} subnormal": np.arange(-2_000, 2_000).astype(dtype) * info.smallest_subnormal,
            f"{dtype} tiny IQR and a giant": np.append(np.arange(2_000) * tiny, largest).astype(dtype),
            f"{dtype} signed zeros": np.array([-0.0, 0.0] * 50, dtype),
        }
    for dtype in ("int64", "uint64"):
        info = np.iinfo(dtype)
        low, high = int(info.min), int(info.max)
        edges |= {
            f"{dtype} both ends": np.repeat(np.array([low, high], dtype), 50),
            f"{dtype} low end with a few high": np.repeat(np.array([low, high], dtype), [90, 10]),
            f"{dtype} high end with a few low": np.repeat(np.array([low, high], dtype), [10, 90]),
            f"{dtype} low end": low + np.arange(3_000).astype(dtype),
            f"{dtype} high end": high - np.arange(3_000).astype(dtype)[::-1],
            f"{dtype} constant at the top": np.full(100, high, dtype),
        }
    return edges


EDGES = _edges()


@pytest.mark.parametrize("values", EDGES.values(), ids=EDGES.keys())
def test_columns_at_the_ends_of_a_dtype_are_bounded_without_a_warning(values: NDArray[Any]) -> None:
    plan = plan_cells(values, whole=True)
    assert _largest_share(values, plan) <= 1 / 1024
    with np.errstate(over="ignore"):
        assert plan.scale * np.ldexp(np.float64(1), plan.exponent) == 1


def test_neighbours_of_a_large_integer_are_seen_by_the_densest_interval() -> None:
    # One value in eight lies within 100 of 2**61, where a double's step is 512: only an exact distance tells.
    rng = np.random.default_rng(8)
    dense = 2**61 + rng.integers(0, 100, 20_000)
    sample = np.sort(np.concatenate([dense, rng.integers(0, 2**62, 45_536)]))
    plan = plan_cells(sample, whole=False)
    assert _largest_share(sample, plan) <= 1 / 1024


@pytest.mark.parametrize(
    ("sample", "dtype"),
    [
        (np.zeros(2, np.float16), "float32"),
        (np.zeros(2, np.float32), "float32"),
        (np.zeros(2, np.float64), "float64"),
        (np.array([-128], np.int8), "float64"),
        (np.array([2**51]), "float64"),
        (np.array([2**51 + 1]), "int64"),
        (np.array([-(2**63)]), "int64"),
        (np.array([2**51], np.uint64), "float64"),
        (np.array([2**64 - 1], np.uint64), "uint64"),
        (np.empty(0, np.int64), "float64"),
    ],
)
def test_the_storage_type_holds_the_sample_without_loss(sample: NDArray[Any], dtype: str) -> None:
    assert storage_dtype(sample) == dtype


def test_a_sample_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="sample must be of float32, float64, int64, uint64, got int32"):
        plan_cells(np.zeros(3, np.int32), whole=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_few_values_of_a_smooth_column_give_the_first_plan(dtype: str) -> None:
    rng = np.random.default_rng(0)
    smooth = np.sort(rng.normal(3, 0.01, 4096).astype(dtype))
    plan = plan_of_few(smooth)
    assert plan is not None
    assert plan.cuts.size == 0
    whole = plan_cells(np.sort(rng.normal(3, 0.01, 100_000).astype(dtype)), whole=True)
    assert (plan.centre, plan.exponent, plan.bits) == (whole.centre, whole.exponent, whole.bits)
    assert plan_of_few(smooth[:2047]) is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_frequent_ones_of_few_values_are_cut_out_if_they_are_few(dtype: str) -> None:
    values = np.random.default_rng(0).normal(3, 0.01, 4096).astype(dtype)
    atoms = np.array([2.99, 3, 3.01, 3.02], dtype)
    values[:1600] = np.repeat(atoms, 400)
    plan = plan_of_few(np.sort(values))
    assert plan is not None
    around = np.concatenate([np.nextafter(atoms, -np.inf), np.nextafter(atoms, np.inf)])
    assert not np.isin(index_of(atoms, plan), index_of(around, plan)).any()
    values[:40] = 2.98
    assert plan_of_few(np.sort(values)) is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_few_values_of_a_column_with_a_tail_give_a_plan_that_holds_for_all(dtype: str) -> None:
    whole = np.random.default_rng(0).exponential(size=200_000).astype(dtype)
    plan = plan_of_few(np.sort(whole[:4096]))
    assert plan is not None
    assert np.bincount(index_of(whole, plan)).max() <= whole.size * MAX_SHARE


@pytest.mark.parametrize("spread", [1e-4, 1e4])
def test_few_values_that_lie_close_or_far_out_tell_too_little(spread: float) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=4096)
    values[:1000] = rng.normal(1, spread, 1000)
    assert plan_of_few(np.sort(values)) is None
