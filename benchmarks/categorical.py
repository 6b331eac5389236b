"""How long does one column of texts take, from a table to the report?

The others count the texts of both sides and take PSI, JS and chi-square from the counts. With more than 65,536
categories gpudrift keeps the 1,024 most frequent of a sample and counts the rest as one: less work, so no ratio.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather

from benchmarks.harness import Case, Contender, Make, measure
from benchmarks.options import Options
from benchmarks.tables import SIDES
from gpudrift.bench.numpy_drift import psi_js

ARROW: Final = "gpudrift, from Arrow"
PANDAS: Final = "gpudrift, from pandas"
MOST: Final = 65_536


def contenders(n_categories: int) -> tuple[Contender, ...]:
    """Each library with tables of its own."""
    pooled = n_categories > MOST
    return (
        Contender(ARROW, "gpudrift", "categories", settings={"library": "arrow"}),
        Contender(PANDAS, "gpudrift", "categories", settings={"library": "pandas"}),
        Contender("pandas, value_counts", "pandas", "categories", against=None if pooled else PANDAS),
        Contender("polars, value_counts", "polars", "categories", against=None if pooled else ARROW),
        Contender("Arrow, value_counts", "arrow", "categories", against=None if pooled else ARROW),
    )


def run(options: Options) -> Iterator[dict[str, Any]]:
    """Ten million rows of 10, 1,000 and a million texts, the frequent ones far more frequent than the rare."""
    rows = options.rows or options.scaled(10_000_000)
    for n_categories in (10, 1_000, 1_000_000):
        case = Case({"rows": rows, "categories": n_categories}, texts(n_categories), rows)
        yield measure("categorical", case, contenders(n_categories), check, options.repeats)


def texts(n_categories: int) -> Make:
    """Both sides as ``SIDE.arrow``, one column x."""

    def make(folder: Path, rows: int) -> None:
        names = pa.array([f"category {i}" for i in range(n_categories)])
        for side, power in zip(SIDES, (2.0, 2.2), strict=True):
            rng = np.random.default_rng([n_categories, int(power * 10)])
            codes = (rng.random(rows) ** power * n_categories).astype(np.int32)
            feather.write_feather(
                pa.table({"x": names.take(pa.array(codes))}), folder / f"{side}.arrow", "uncompressed"
            )

    return make


def check(contender: Contender, found: Any, folder: Path) -> str | None:
    """JS over the categories of both sides; those of gpudrift that were pooled are not held to it."""
    if contender.peer == "gpudrift" and found["categories"] <= 1_026 < MOST < _n_categories(folder):
        return None
    expected = js_distance(folder)
    return None if abs(found["js"] - expected) < 1e-9 else f"JS is {found['js']:.9g}, not {expected:.9g}"


def js_distance(folder: Path) -> float:
    """From counts that are aligned by a join, whatever the order of the texts."""
    p, q = (feather.read_table(folder / f"{side}.arrow").group_by("x").aggregate([([], "count_all")]) for side in SIDES)
    joined = p.join(q, "x", join_type="full outer", right_suffix="_current")
    counts = [pc.fill_null(joined[name], 0).to_numpy() for name in ("count_all", "count_all_current")]
    return psi_js(*counts)[1]


def _n_categories(folder: Path) -> int:
    return len(pc.unique(feather.read_table(folder / "reference.arrow")["x"]))
