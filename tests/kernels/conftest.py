"""Plans of every kind, and the values that are hardest on each."""

from __future__ import annotations

import itertools
import shutil
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import tuning
from gpudrift_kernels.boundaries import extents
from gpudrift_kernels.cells import DTYPES, SHAPES, CellPlan
from gpudrift_kernels.tuning import StagingPolicy

from .devices import SIMULATED, SMALL, device
from .host_rule import host_cupy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpudrift_kernels.backend import Backend

#: (centre, exponent): plain, shifted, and both at the ends of what a plan may hold.
_SCALES: dict[str, list[tuple[float | int, int]]] = {
    "float32": [(0.0, 0), (3.25, 2), (1000.0, -10), (1e30, 90), (-3.4028234663852886e38, 126), (1e-40, -126)],
    "float64": [(0.0, 0), (-7.5, 3), (1e15, -3), (1e-310, -1022), (-1.7e308, 1022), (1e300, -1022)],
    "int64": [(0, 0), (1_700_000_000 * 10**9, 40), (-(2**63), 62), (2**63 - 1, -3), (5, 1022), (-12_345, -1022)],
    "uint64": [(0, 0), (2**63, 10), (2**64 - 1, 63), (7, -5), (2**64 - 1, 1022), (1, -1022)],
}


def _random_bits(dtype: str, n: int, rng: np.random.Generator) -> NDArray[Any]:
    return rng.integers(0, 256, n * np.dtype(dtype).itemsize, np.uint8).view(dtype)


def _neighbours(values: NDArray[Any]) -> NDArray[Any]:
    """The values with the ones right below and above, in which integers wrap around."""
    if values.dtype.kind in "iu":
        return np.concatenate([values - 1, values, values + 1])
    with np.errstate(over="ignore"):
        return np.concatenate([np.nextafter(values, -np.inf), values, np.nextafter(values, np.inf)])


def _around_centre(plan: CellPlan, n: int, rng: np.random.Generator) -> NDArray[Any]:
    """A few scales about the centre, clipped to the dtype."""
    limits = np.iinfo(plan.dtype) if plan.wide else np.finfo(plan.dtype)
    with np.errstate(over="ignore"):
        steps = np.ldexp(rng.normal(size=n) * 10.0 ** rng.integers(0, 4, n), plan.exponent)
        if not plan.wide:
            return np.clip(steps + float(plan.centre), limits.min, limits.max).astype(plan.dtype)
    steps = np.clip(steps, -(2.0**65), 2.0**65)
    sums = [min(max(plan.centre + int(step), limits.min), limits.max) for step in steps]
    return np.array(sums, plan.dtype)


def _specials(dtype: str, rng: np.random.Generator) -> NDArray[Any]:
    if dtype in ("int64", "uint64"):
        info = np.iinfo(dtype)
        powers = [2**k for k in (0, 1, 24, 31, 32, 52, 53, 62)]
        return np.array([info.min, info.min + 1, 0, *powers, info.max - 1, info.max], dtype)
    info = np.finfo(dtype)
    positive = [0.0, info.smallest_subnormal, info.tiny, 0.5, 1.0, 1.5, 2.0**24, info.max, np.inf, np.nan]
    width = np.dtype(f"u{info.dtype.itemsize}")
    exponent_bits = np.array(np.inf, dtype).view(width)
    payloads = _random_bits(width.name, 500, rng) | exponent_bits  # every sort of NaN, of both signs
    return np.concatenate([np.array(positive, dtype), -np.array(positive, dtype), payloads.view(dtype)])


def _plan(dtype: str, scale: tuple[float | int, int], shape: tuple[int, int], n_cuts: int, integral: bool) -> CellPlan:
    """A plan whose cuts lie close together about the centre, at special values and anywhere."""
    plan = CellPlan(dtype, *scale, *shape, integral=integral)
    rng = np.random.default_rng(n_cuts)
    close = _neighbours(_around_centre(plan, n_cuts, rng))
    pool = np.concatenate([close, _specials(dtype, rng), _random_bits(dtype, n_cuts, rng)])
    cuts = rng.choice(np.unique(pool[np.isfinite(pool)]), n_cuts, replace=False)
    return replace(plan, cuts=np.sort(cuts))


def _plans() -> dict[str, CellPlan]:
    """No cuts, a few that are compared, and many that go through the table."""
    plans = {}
    for dtype in DTYPES:
        for k, (scale, n_cuts) in enumerate(itertools.product(_SCALES[dtype], (0, 5, 300))):
            shape = SHAPES[(k + k // 3) % 3]
            for integral in (False, True) if dtype.startswith("f") and scale[1] < 4 else (False,):
                name = f"{dtype}-{scale[0]:.3g}-{scale[1]}-{shape[0]}-{n_cuts}cuts{'-integral' * integral}"
                plans[name] = _plan(dtype, scale, shape, n_cuts, integral)
    return plans


PLANS = _plans()


#: Every fourth in the simulator: gcc and the CPU try the arithmetic on all of them.
_TRIED = dict(list(PLANS.items())[:: 4 if SMALL else 1])


@pytest.fixture(params=_TRIED.values(), ids=_TRIED.keys(), scope="session")
def plan(request: pytest.FixtureRequest) -> CellPlan:
    return request.param


@pytest.fixture(scope="session")
def hostile(plan: CellPlan) -> NDArray[Any]:
    """70,000 values in no order: bit patterns, edges of cells, cuts, neighbours, specials; 350 if simulated."""
    rng = np.random.default_rng(plan.n_index)
    few = 200 if SMALL else 1
    edges, _ = extents(rng.integers(0, plan.n_index, 3_000 // few), plan)
    values = np.concatenate(
        [
            _random_bits(plan.dtype, 30_000 // few, rng),
            _neighbours(edges),
            _neighbours(plan.cuts),
            _specials(plan.dtype, rng),
            _around_centre(plan, 24_000 // few, rng),
        ]
    )
    return rng.choice(values, 70_000 // few)


@pytest.fixture(params=["cupy", "numba"])
def cuda_backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """The CUDA backend on this machine's GPU with either histogram; cut down to what the simulator does in a second."""
    from gpudrift_kernels.cuda import backend, histogram, staging, tally_columns, tally_rows

    monkeypatch.setattr(backend, "has_cupy", lambda: request.param == "cupy")
    if SIMULATED:
        from numba.cuda import stream
        from numba.cuda.cudadrv.devicearray import FakeCUDAArray

        if request.param == "cupy":
            if shutil.which("gcc") is None:
                pytest.skip("gcc is not on the PATH, which stands in for the GPU's compiler")
            monkeypatch.setitem(sys.modules, "cupy", host_cupy())
            address = property(lambda array: {"data": (array._ary.ctypes.data, False)})
            monkeypatch.setattr(FakeCUDAArray, "__cuda_array_interface__", address, raising=False)
            monkeypatch.setattr(stream, "handle", 0, raising=False)
            for module in (backend, tally_rows):
                monkeypatch.setattr(module, "as_numba", lambda values, _: values)
            monkeypatch.setattr(backend, "ordinal_of", lambda _: None)
        for module in (backend, histogram):
            monkeypatch.setattr(module, "NUMBA_SHARED_BYTES", 1 << 10)
        for module in (backend, histogram, tally_columns):
            monkeypatch.setattr(module, "NUMBA_THREADS", 4)
        monkeypatch.setattr(tuning, "NUMBA_ROWS_PER_BLOCK", 200)
        small = StagingPolicy(chunk_bytes=4096, chunks=2, fewest_chunk_bytes=256, rows_per_piece=150)
        for module in (backend, staging, tally_rows):
            monkeypatch.setattr(module, "STAGING", small)
        staging.staging.cache_clear()
    return backend.CudaBackend(device(), threads=2, memory_bytes=256 << 20)
