"""Which launch numbers are the fastest here? What `gpudrift_kernels/tuning.py` holds for the CPU comes from this.

    python -m benchmarks.tune_cpu [--rows 16000000] [--repeats 7]

One thread counts one column under each candidate in turn, in processor time, so that a busy machine disturbs the order
little. Every count is compared with that of the policy in use before it is timed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import Workspace
from gpudrift_kernels.planning import plan_cells
from gpudrift_kernels.tuning import CPU, LARGE, LaunchPolicy

Case = tuple[NDArray[Any], CellPlan]


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


def seconds(candidates: dict[str, tuple[Case, LaunchPolicy]], repeats: int) -> dict[str, float]:
    """Median processor time of each, measured in turn."""
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for repeat in range(repeats + 1):
        for name, ((values, plan), policy) in candidates.items():
            start = time.thread_time()
            workspace = Workspace(plan, policy)
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


def show(title: str, rows: int, candidates: dict[str, tuple[Case, LaunchPolicy]], repeats: int) -> None:
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
    print("values a nanosecond, one thread; * is the fastest")
    for dtype in ("float32", "float64"):
        for name, case in columns(rows, dtype):
            blocks = {str(n): (case, replace(LARGE, rows_per_block=n)) for n in (256, 512, 1024, 2048, 4096)}
            show(f"rows_per_block, {name}", rows, blocks, repeats)
            lanes = {str(n): (case, replace(LARGE, lanes=n)) for n in (1, 2, 4)}
            show(f"lanes, {name}", rows, lanes, repeats)
        values, plan = next(columns(rows, dtype))[1]
        for n_cuts in (8, 16, 24, 32, 64):
            case = values, replace(plan, cuts=np.linspace(-2, 2, n_cuts))
            cuts = {way: (case, replace(LARGE, max_compared_cuts=n)) for way, n in (("compared", 64), ("searched", 0))}
            show(f"max_compared_cuts, {dtype}, {n_cuts} cuts", rows, cuts, repeats)
        for n in (100, 1_000, 10_000, 30_000, 100_000, 300_000):
            case = values[:n], replace(plan, cuts=np.linspace(-2, 2, 32))
            sizes = {f"below {most:.0e}": (case, policy) for most, policy in CPU}
            show(f"policy, {dtype}, {n:,} rows, 32 cuts", n, sizes, 20 * repeats)


if __name__ == "__main__":
    main()
