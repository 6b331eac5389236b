"""How long does the exact KS distance of two columns take, sorted from nothing?

``gpudrift, exact KS`` is a whole check_drift, with the exact W1 and all else in its report; ``gpudrift, KS alone`` is
the verbs of its backend that sort and compare, for those that find nothing else either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.drift import EXACT
from benchmarks.harness import Case, Contender, measure
from benchmarks.options import Options
from benchmarks.oracle import check_drift
from benchmarks.tables import dtypes, numbers

ALONE: Final = "gpudrift, KS alone"
CONTENDERS: Final = (
    Contender(EXACT, "gpudrift", "drift", convention="cells", settings={"exact": True}),
    Contender(ALONE, "gpudrift", "ks", convention="cells"),
    Contender(
        "NumPy, its fastest way", "numpy", "drift",
        against=EXACT, convention="deciles", settings={"way": "exact"},
    ),
    Contender(
        "NumPy, fastest, all processors", "numpy", "drift",
        against=EXACT, convention="deciles", settings={"way": "exact", "threads": True},
    ),
    Contender(
        "NumPy, every row searched", "numpy", "drift",
        against=EXACT, convention="deciles", settings={"way": "plain"},
    ),
    Contender("SciPy, ks_2samp", "scipy", "ks", against=ALONE, convention="deciles"),
    Contender("Alibi Detect, KSDrift", "alibi_detect", "ks", against=ALONE, convention="deciles"),
    Contender("Frouros, KSTest", "frouros", "ks", against=ALONE, convention="deciles"),
)  # fmt: skip


def run(options: Options) -> Iterator[dict[str, Any]]:
    """float32, float64, and float64 rounded to two decimals: thousands of equal values."""
    rows, features = options.rows or options.scaled(10_000_000), options.features or 1
    for dtype, decimals in [(dtype, None) for dtype in dtypes(options.dtype, ["float32", "float64"])] + [
        (options.dtype or "float64", 2)
    ]:
        facts = {
            "rows": rows,
            "features": features,
            "dtype": dtype,
            "values": "continuous" if decimals is None else "tied",
        }
        case = Case(facts, numbers(features, dtype, decimals), rows)
        yield measure("exact_ks", case, CONTENDERS, check_drift, options.repeats)
