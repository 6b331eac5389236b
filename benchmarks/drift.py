"""How long does PSI + KS + JS over a whole table take, from arrays to the last number?

An interval for KS is compared with an interval (or a KS from bins), an exact KS with an exact one. gpudrift also finds
W1, Hellinger, missing values, p-values and the verdict each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from benchmarks.harness import SUM, Case, Contender, measure
from benchmarks.options import Options
from benchmarks.oracle import check_drift
from benchmarks.tables import dtypes, n_bytes, numbers

INTERVAL: Final = "gpudrift"
EXACT: Final = "gpudrift, exact KS"

OURS: Final = (
    Contender(INTERVAL, "gpudrift", "drift", convention="cells"),
    Contender(EXACT, "gpudrift", "drift", convention="cells", settings={"exact": True}),
    Contender(SUM, "gpudrift", "sum_all"),
)
NUMPY: Final = (
    Contender(
        "NumPy, its fastest way", "numpy", "drift",
        against=INTERVAL, convention="deciles", settings={"way": "fast"},
    ),
    Contender(
        "NumPy, fastest, all processors", "numpy", "drift",
        against=INTERVAL, convention="deciles", settings={"way": "fast", "threads": True},
    ),
    Contender(
        "NumPy, fastest, exact KS", "numpy", "drift",
        against=EXACT, convention="deciles", settings={"way": "exact"},
    ),
)  # fmt: skip
PLAIN: Final = Contender(
    "NumPy, every row searched", "numpy", "drift", against=EXACT, convention="deciles", settings={"way": "plain"}
)
PEERS: Final = (
    Contender("torch, bucketize", "torch", "drift", against=INTERVAL, convention="near deciles"),
    Contender("NannyML", "nannyml", "drift", "JS, binned KS", against=INTERVAL, convention="doane"),
    Contender(
        "Evidently, PSI and JS", "evidently", "drift", "PSI, JS",
        against=INTERVAL, convention="sturges", settings={"methods": ["psi", "jensenshannon"]},
    ),
    Contender(
        "Evidently", "evidently", "drift", "PSI, JS, exact KS",
        against=EXACT, convention="sturges", settings={"methods": ["psi", "jensenshannon", "ks"]},
    ),
    Contender("SciPy, KS alone", "scipy", "ks", "exact KS", against=EXACT, convention="deciles"),
    Contender("Alibi Detect, KS alone", "alibi_detect", "ks", "exact KS", against=EXACT, convention="deciles"),
)  # fmt: skip

MONITORS: Final = tuple(peer for peer in PEERS if peer.peer in ("nannyml", "evidently"))
"""Peers that monitor tables: of large ones they are waited for, minutes, once."""


def run(options: Options) -> Iterator[dict[str, Any]]:
    """One table with all peers, the larger ones with those that can be waited for."""
    if options.rows or options.features:
        sizes = [(options.rows or 1_000_000, options.features or 8, ["float32"], (*OURS, *NUMPY, PLAIN, *PEERS))]
    else:
        sizes = [
            (options.scaled(1_000_000), 8, ["float32"], (*OURS, *NUMPY, PLAIN, *PEERS)),
            (options.scaled(10_000_000), 8, ["float32", "float64"], (*OURS, *NUMPY, PLAIN, *MONITORS)),
            (options.scaled(100_000_000), 1, ["float32"], (OURS[0], OURS[2], *NUMPY[:2])),
            (options.scaled(100_000), 200, ["float32"], (*OURS, *NUMPY, PLAIN)),
            (options.scaled(1_000_000), 1_000, ["float32"], (OURS[0], OURS[2], *NUMPY[:2])),
        ]
    for rows, features, default, contenders in sizes:
        for n, dtype in enumerate(dtypes(options.dtype, default)):
            facts = {"rows": rows, "features": features, "dtype": dtype}
            case = Case(facts, numbers(features, dtype), rows, n_bytes(rows, features, dtype))
            measured = contenders if not n else [contender for contender in contenders if contender not in MONITORS]
            yield measure("drift", case, measured, check_drift, options.repeats)
