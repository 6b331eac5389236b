"""Does the time for a value level off, and does memory stay bounded, from ten thousand rows to a hundred million?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.drift import NUMPY, OURS
from benchmarks.harness import Case, Contender, measure
from benchmarks.options import Options
from benchmarks.oracle import check_drift
from benchmarks.tables import n_bytes, numbers

CONTENDERS: Final[tuple[Contender, ...]] = (OURS[0], OURS[2], NUMPY[0])
ROWS: Final = tuple(10**n for n in range(4, 9))
FEATURES: Final = (1, 10, 100, 1_000)
ROWS_OF_WIDE: Final = 100_000


def run(options: Options) -> Iterator[dict[str, Any]]:
    """One feature of more and more rows, then more and more features."""
    dtype = options.dtype or "float32"
    sizes = [(options.scaled(rows, 10_000), 1) for rows in ROWS]
    sizes += [(options.scaled(ROWS_OF_WIDE), features) for features in FEATURES]
    if options.rows or options.features:
        sizes = [(options.rows or ROWS_OF_WIDE, options.features or 1)]
    for rows, features in dict.fromkeys(sizes):
        facts = {"rows": rows, "features": features, "dtype": dtype}
        times = max(200_000 // (rows * features), 1)
        case = Case(facts, numbers(features, dtype), rows, n_bytes(rows, features, dtype), times)
        yield measure("scaling", case, CONTENDERS, check_drift, options.repeats)
