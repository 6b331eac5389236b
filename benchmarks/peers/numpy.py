"""NumPy alone: its fastest way, and the plain one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import inputs
from gpudrift.bench import numpy_drift, processors

VERSION = np.__version__
Contender = tuple[Callable[[], Any], Callable[[Any], Any]]


def drift(folder: Path, *, way: str, threads: bool = False) -> Contender:
    """PSI, JS and KS; ``way`` is "fast" (an interval for KS), "exact" (the same, exact) or "plain"."""
    reference, current = inputs.sides(folder)
    if way == "plain":
        ways: Callable[..., Any] = numpy_drift.plain
    else:
        ways = partial(numpy_drift.fast, exact=way == "exact")

    def work() -> dict[str, numpy_drift.Drift]:
        if not threads:
            return {name: ways(reference[name], current[name]) for name in reference}
        with ThreadPoolExecutor(processors()) as pool:
            if len(reference) < processors():  # too few columns to share out: the two sorts of each
                return {name: ways(reference[name], current[name], spread=pool.map) for name in reference}
            found = pool.map(lambda name: ways(reference[name], current[name]), reference)
            return dict(zip(reference, found, strict=True))

    return work, lambda found: found


def count(folder: Path, *, bins: int) -> Contender:
    """Each column of a batch over edges that are there: quantiles of the reference."""
    reference, batch = inputs.sides(folder)
    edges = {
        name: np.unique(np.quantile(x, np.arange(1, bins) / bins).astype(x.dtype)) for name, x in reference.items()
    }

    def work() -> dict[str, Any]:
        return {
            name: np.bincount(np.searchsorted(edges[name], x), minlength=edges[name].size + 1)
            for name, x in batch.items()
        }

    def problem(counts: dict[str, Any]) -> str | None:
        for name, found in counts.items():
            expected = np.diff(np.searchsorted(np.sort(batch[name]), edges[name], "right"), prepend=0)
            if found[:-1].tolist() != expected.tolist():
                return f"{name} is counted otherwise than by sorting"
        return None

    return work, problem


def parquet(folder: Path) -> Contender:
    """One column at a time into memory, with a thread for each processor, then the fastest way."""
    import pyarrow.parquet as pq

    def rows(side: str, name: str) -> Any:
        return pq.read_table(folder / side, columns=[name])[name].to_numpy()

    def work() -> dict[str, numpy_drift.Drift]:
        names: Iterable[str] = pq.read_schema(next((folder / "reference").iterdir())).names
        with ThreadPoolExecutor(processors()) as pool:
            found = {}
            for name in names:
                reference, current = pool.map(lambda side: rows(side, name), ("reference", "current"))  # noqa: B023
                found[name] = numpy_drift.fast(reference, current, spread=pool.map)
        return found

    return work, lambda found: found
