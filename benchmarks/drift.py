"""How much faster than NumPy is PSI + KS + JS over a whole table, first row to last number?

The baseline is NumPy's fastest way: sort both sides (np.sort uses AVX-512 and releases the GIL), read the deciles off
the sorted reference, and get every count by searching in sorted arrays. It runs once on one thread, as a script would,
and once with a thread for each processor, as gpudrift does.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

import gpudrift as gd
from benchmarks.harness import compare, metadata

Table = dict[str, NDArray[Any]]


def run(rows: int, features: int, dtype: str | None, repeats: int) -> dict[str, Any]:
    """Time both on the same tables, check that they agree, print a line each."""
    reference, current = table(rows, features, dtype or "float32", 0), table(rows, features, dtype or "float32", 1)
    check_agreement(reference, current)
    seconds = compare(
        {
            "gpudrift": lambda: gd.check_drift(reference=reference, current=current),
            "numpy": lambda: [numpy_drift(reference[name], current[name]) for name in reference],
            "numpy, threads": lambda: threaded(reference, current),
        },
        repeats,
    )
    print(f"drift {rows:,} x {features} {dtype}")
    for name, figures in seconds.items():
        ratio = figures["median_s"] / seconds["gpudrift"]["median_s"]
        print(
            f"  {name:15} {figures['median_s']:8.3f} s  [{figures['min_s']:.3f}, {figures['max_s']:.3f}]  {ratio:6.1f}x"
        )
    return {"question": "drift", "rows": rows, "features": features, "dtype": dtype, "seconds": seconds} | metadata()


def table(rows: int, features: int, dtype: str, seed: int) -> Table:
    """Columns of four shapes in turn, the current side moved by a quarter of a deviation or a quarter wider."""
    rng = np.random.default_rng(seed)
    shift = np.float32(seed * 0.25)
    shapes = (
        lambda: rng.standard_normal(rows, np.float32) + shift,
        lambda: np.exp(rng.standard_normal(rows, np.float32) + shift),
        lambda: rng.random(rows, np.float32) * (1 + shift),
        lambda: np.where(rng.random(rows, np.float32) < 0.3, 0, rng.standard_normal(rows, np.float32) + shift),
    )
    return {f"x{j}": shapes[j % 4]().astype(dtype) for j in range(features)}


def numpy_drift(reference: NDArray[Any], current: NDArray[Any]) -> tuple[float, float, float]:
    """PSI, KS and JS of one column from two sorts."""
    f, g = np.sort(reference), np.sort(current)
    n, m = f.size, g.size
    at_f = np.abs(np.searchsorted(f, f, "right") / n - np.searchsorted(g, f, "right") / m).max()
    at_g = np.abs(np.searchsorted(f, g, "right") / n - np.searchsorted(g, g, "right") / m).max()
    edges = np.unique(f[-(-np.arange(1, 10) * n // 10) - 1])
    p, q = (np.diff(np.concatenate([[0], np.searchsorted(side, edges, "right"), [side.size]])) for side in (f, g))
    p, q = p[p + q > 0], q[p + q > 0]
    smooth_p, smooth_q = ((side + 0.5) / (side.sum() + 0.5 * side.size) for side in (p, q))
    psi = float(np.sum((smooth_q - smooth_p) * np.log(smooth_q / smooth_p)))
    p, q = p / n, q / m
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = [np.nansum(side * np.log2(side / middle)) / 2 for side in (p, q)]
    return psi, float(max(at_f, at_g)), float(np.sqrt(sum(halves)))


def threaded(reference: Table, current: Table) -> list[tuple[float, float, float]]:
    """The same with a thread for each processor."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda name: numpy_drift(reference[name], current[name]), reference))


def check_agreement(reference: Table, current: Table) -> None:
    """Refuse to time two programs that do not compute the same thing."""
    report = gd.check_drift(reference=reference, current=current)
    for name in list(reference)[:4]:
        psi, ks, js = numpy_drift(reference[name], current[name])
        interval = report[name].ks
        if interval is None or not interval.lower - 1e-12 <= ks <= interval.upper + 1e-12:
            raise SystemExit(f"{name}: KS {ks} is outside {interval}")
        # an atom has a bin of its own here, and bins end at cells: the same statistic on nearly the same bins
        if abs(report[name].psi - psi) > 0.02 or abs(report[name].js_distance - js) > 0.02:
            raise SystemExit(f"{name}: PSI {psi}, JS {js} against {report[name].psi}, {report[name].js_distance}")
