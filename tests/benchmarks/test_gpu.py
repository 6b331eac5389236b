"""The GPU's benchmark as far as it goes without one: its data, and failures that must not cost the rest."""

from __future__ import annotations

import gc
import sys
import weakref
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import gpu
from gpudrift_kernels.backend import get_backend


@pytest.fixture
def little_of_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What data are made with, on the host; no ``cupy.random``, which needs a library that CuPy does not bring."""
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(asarray=np.array, exp=np.exp, nan=np.nan))


@pytest.mark.usefixtures("little_of_cupy")
def test_data_are_of_the_kind_that_they_are_called() -> None:
    made = {kind: gpu.made(kind, "float32", 10_000) for kind in gpu.DATA}
    assert {values.dtype for values in made.values()} == {np.dtype("float32")}
    assert -2 <= made["uniform"].min() < -1.99 < 1.99 < made["uniform"].max() < 2
    assert (abs(made["normal"].mean()), made["normal"].std()) == pytest.approx((0, 1), abs=0.03)  # 3 / sqrt(10,000)
    np.testing.assert_array_equal(made["heavy-tailed"], np.exp(made["normal"] * 2))
    assert set(made["constant"].tolist()) == {1.5}
    assert (made["zero-inflated"] == 0).mean() == 0.5
    assert np.isnan(made["missing"]).mean() == 0.1
    np.testing.assert_array_equal(gpu.made("normal", "float32", 10_000), made["normal"])
    assert gpu.made("normal", "int32", 10_000).std() > 900


def test_what_a_launch_reads_is_there_as_long_as_the_launch_is(monkeypatch: pytest.MonkeyPatch) -> None:
    plan_tables, raw_histogram, staging, cuda = (
        pytest.importorskip(name)
        for name in (*(f"gpudrift_kernels.cuda.{n}" for n in ("plan_tables", "raw_histogram", "staging")), "numba.cuda")
    )

    class Memory:
        def __init__(self, *_: Any) -> None:
            read.append(weakref.ref(self))

    class Histogram:
        compared_cuts = 8

        def __init__(self, *_: Any) -> None: ...

        def launches(self, *_: Any) -> list[Any]:
            return [lambda: launched.append([memory() is not None for memory in read])]

    read: list[weakref.ref[Memory]] = []
    launched: list[list[bool]] = []
    monkeypatch.setattr(plan_tables, "PlanTables", Memory)
    monkeypatch.setattr(staging, "Records", Memory)
    monkeypatch.setattr(raw_histogram, "RawHistogram", Histogram)
    monkeypatch.setattr(cuda, "default_stream", lambda: None)
    launch = gpu.launch_of(SimpleNamespace(device=None), Memory(), gpu.plan_for("float32", (11, 3)))  # type: ignore[arg-type]
    gc.collect()
    launch()
    assert launched == [[True] * 3]


def test_a_baseline_without_memory_does_not_cost_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise MemoryError("no memory left\nand more of it")

    monkeypatch.setattr(gpu, "made", full)
    found = list(gpu.baselines(get_backend("cpu"), 1_000, 1))
    error = "MemoryError: no memory left"
    assert found == [{"dtype": "float32", "error": error}, {"dtype": "float64", "error": error}]
