"""How long does one column of texts take, from a table to the report?

The others count the texts of both sides and take PSI, JS and chi-square from the counts. With more than 65,536
categories gpudrift keeps the 1,024 most frequent of a sample and counts the rest as one: less work, so no ratio.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
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
    """Hold JS to the counts of all categories; that of gpudrift, which pools rare ones, to its bins, those to rows."""
    exact = counts(folder)
    if contender.peer != "gpudrift":
        expected = psi_js(*(np.array(side) for side in zip(*exact.values(), strict=True)))[1]
        return _differs(found["js"], expected)
    for label, *sides in found["bins"]:
        if label in exact and tuple(sides) != exact[label]:
            return f"{label} is counted {sides}, not {exact[label]}"
    sides = [np.array(side) for side in list(zip(*found["bins"], strict=True))[1:]]
    rows = [sum(side) for side in zip(*exact.values(), strict=True)]
    if [side.sum() for side in sides] != rows:
        return f"{[int(side.sum()) for side in sides]} rows are counted, not {rows}"
    return _differs(found["js"], psi_js(*sides)[1])


def _differs(js: float, expected: float) -> str | None:
    return None if abs(js - expected) < 1e-9 else f"JS is {js:.9g}, not {expected:.9g}"


@cache
def counts(folder: Path) -> dict[str, tuple[int, int]]:
    """Rows of each text on both sides, aligned by a join, whatever their order."""
    p, q = (feather.read_table(folder / f"{side}.arrow").group_by("x").aggregate([([], "count_all")]) for side in SIDES)
    joined = p.join(q, "x", join_type="full outer", right_suffix="_current")
    both = (pc.fill_null(joined[name], 0).to_pylist() for name in ("count_all", "count_all_current"))
    return dict(zip(joined["x"].to_pylist(), zip(*both, strict=True), strict=True))
