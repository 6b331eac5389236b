"""A reference is profiled once; how long does it take to count a batch, small or long?

Ten bins are enough for PSI and JS; 1,024 are what a KS to 1/1024 needs, as gpudrift's thousands of cells allow it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.drift import INTERVAL
from benchmarks.harness import SUM, Case, Contender, measure
from benchmarks.options import Options
from benchmarks.tables import dtypes, numbers

CONTENDERS: Final = (
    Contender(INTERVAL, "gpudrift", "count"),
    Contender("NumPy, ten bins", "numpy", "count", "PSI, JS", against=INTERVAL, settings={"bins": 10}),
    Contender("NumPy, 1,024 bins", "numpy", "count", "PSI, JS, KS", against=INTERVAL, settings={"bins": 1024}),
    Contender("torch, ten bins", "torch", "count", "PSI, JS", against=INTERVAL, settings={"bins": 10}),
    Contender("torch, 1,024 bins", "torch", "count", "PSI, JS, KS", against=INTERVAL, settings={"bins": 1024}),
)
REFERENCE_ROWS: Final = 100_000


def run(options: Options) -> Iterator[dict[str, Any]]:
    """Batches of 50 features, then one long column, which should come near to the limit of the memory."""
    for rows in [options.rows] if options.rows else [1_000, 10_000, 100_000]:
        features, dtype = options.features or 50, options.dtype or "float32"
        facts = {"rows": rows, "features": features, "dtype": dtype}
        case = Case(facts, numbers(features, dtype, reference_rows=REFERENCE_ROWS), rows, times=max(100_000 // rows, 1))
        yield measure("counting", case, CONTENDERS, check, options.repeats)
    if options.rows:
        return
    rows = options.scaled(50_000_000)
    for dtype in dtypes(options.dtype, ["float32", "float64"]):
        n_bytes = rows * int(dtype[-2:]) // 8
        case = Case(
            {"rows": rows, "features": 1, "dtype": dtype},
            numbers(1, dtype, reference_rows=REFERENCE_ROWS),
            rows,
            n_bytes,
        )
        limit = Contender(SUM, "gpudrift", "sum_all", settings={"side": "current"})
        yield measure("counting", case, (CONTENDERS[0], limit, *CONTENDERS[1:4]), check, options.repeats)


def check(contender: Contender, found: Any, folder: Path) -> str | None:
    """A contender counts again in its own process, by sorting or by definition, and says what differs."""
    return None if found is None else str(found)
