"""Which launch numbers are the fastest here? What `gpudrift_kernels/tuning.py` holds for the CPU comes from this.

    python -m benchmarks.tune_cpu [--rows 16000000] [--repeats 7]

One thread counts one column under each candidate in turn, in processor time, so that a busy machine disturbs the order
little. Every count is compared with that of the policy in use before it is timed.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from unittest import mock

import numba
import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels import tuning
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu import compiled
from gpudrift_kernels.cpu.histogram import Workspace
from gpudrift_kernels.planning import plan_cells
from gpudrift_kernels.tuning import CPU, LARGE, LaunchPolicy

Case = tuple[NDArray[Any], CellPlan]
Candidate = tuple[Case, Callable[[CellPlan], Workspace]]


def columns(rows: int, dtype: str) -> Iterator[tuple[str, Case]]:
    """Columns that repeat no value, one value, and some, with a plan as a profile makes it."""
    rng = np.random.default_rng(0)
    normal = rng.standard_normal(rows, dtype=np.float32)
    for name, values in (
        ("normal", normal),
        ("constant", np.full(rows, 3.7)),
        ("30% zeros", np.where(rng.random(rows, np.float32) < 0.3, 0, normal)),
        ("whole numbers", np.floor(normal * 100)),
    ):
        column = values.astype(dtype)
        yield f"{dtype}, {name}", (column, plan_cells(np.sort(column[:65_536]), whole=False))


def compiled_with(**constants: int) -> Callable[[CellPlan], Workspace]:
    """The kernels compiled anew with other constants, apart from the cache on disk."""
    spec = importlib.util.find_spec("gpudrift_kernels.cpu.histogram")
    if spec is None or spec.loader is None:
        raise SystemExit("gpudrift_kernels is not installed as source")
    module = importlib.util.module_from_spec(spec)
    with mock.patch.multiple(tuning, **constants), mock.patch.object(compiled, "kernel", numba.njit(nogil=True)):
        spec.loader.exec_module(module)
    return partial(module.Workspace, policy=LARGE)


def under(policy: LaunchPolicy) -> Callable[[CellPlan], Workspace]:
    """The kernels in use under a policy."""
    return partial(Workspace, policy=policy)


def seconds(candidates: dict[str, Candidate], repeats: int) -> dict[str, float]:
    """Median processor time of each, measured in turn."""
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for repeat in range(repeats + 1):
        for name, ((values, plan), workspace_for) in candidates.items():
            start = time.thread_time()
            workspace = workspace_for(plan)
            workspace.add(values)
            counts = workspace.total()
            elapsed = time.thread_time() - start
            if repeat:
                found[name].append(elapsed)
            elif not np.array_equal(counts, _expected(values, plan)):
                raise SystemExit(f"{name} counts something else")
    return {name: statistics.median(times) for name, times in found.items()}


def _expected(values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    workspace = Workspace(plan, LARGE)
    workspace.add(values)
    return workspace.total()


def show(title: str, rows: int, candidates: dict[str, Candidate], repeats: int) -> None:
    """A line: values a nanosecond under each candidate, the best marked."""
    found = seconds(candidates, repeats)
    best = min(found, key=found.__getitem__)
    line = "  ".join(f"{name} {rows / s / 1e9:.2f}{'*' * (name == best)}" for name, s in found.items())
    print(f"{title:40} {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tune_cpu", description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=16_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    rows, repeats = arguments.rows, arguments.repeats
    at_once = {str(n): compiled_with(VALUES_AT_ONCE=n) for n in (32, 64, 96, 128, 256)}
    ahead = {str(n): compiled_with(LINES_AHEAD=n) for n in (0, 16, 32, 64, 128)}
    print("values a nanosecond, one thread; * is the fastest")
    for dtype in ("float32", "float64"):
        for name, case in columns(rows, dtype):
            show(f"VALUES_AT_ONCE, {name}", rows, {n: (case, made) for n, made in at_once.items()}, repeats)
            show(f"LINES_AHEAD, {name}", rows, {n: (case, made) for n, made in ahead.items()}, repeats)
            lanes = {str(n): (case, under(replace(LARGE, lanes=n))) for n in (1, 2, 4)}
            show(f"lanes, {name}", rows, lanes, repeats)
        values, plan = next(columns(rows, dtype))[1]
        for n_cuts in (8, 16, 24, 32, 64):
            case = values, replace(plan, cuts=np.linspace(-2, 2, n_cuts))
            ways = {
                "compared": under(replace(LARGE, max_compared_cuts=64)),
                "searched": under(replace(LARGE, max_compared_cuts=0)),
            }
            cuts = {way: (case, made) for way, made in ways.items()}
            show(f"max_compared_cuts, {dtype}, {n_cuts} cuts", rows, cuts, repeats)
        for n in (100, 1_000, 10_000, 30_000, 100_000, 300_000):
            case = values[:n], replace(plan, cuts=np.linspace(-2, 2, 32))
            sizes = {f"below {most:.0e}": (case, under(policy)) for most, policy in CPU}
            show(f"policy, {dtype}, {n:,} rows, 32 cuts", n, sizes, 20 * repeats)


if __name__ == "__main__":
    main()
