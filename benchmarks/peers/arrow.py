"""Arrow: counting texts, and decoding Parquet without looking at the values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.feather as feather

from gpudrift.bench import numpy_drift

VERSION = pa.__version__
Contender = tuple[Callable[[], Any], Callable[[Any], Any]]


def categories(folder: Path) -> Contender:
    """Counts of both sides, joined by their texts."""
    sides = [feather.read_table(folder / f"{side}.arrow", memory_map=False)["x"] for side in ("reference", "current")]

    def work() -> tuple[float, float]:
        p, q = (pa.Table.from_struct_array(pc.value_counts(side)) for side in sides)
        joined = p.join(q, "values", join_type="full outer", right_suffix="_current")
        return numpy_drift.psi_js(*(pc.fill_null(joined[n], 0).to_numpy() for n in ("counts", "counts_current")))

    return work, lambda found: {"js": found[1]}


def decode(folder: Path) -> Contender:
    """Every batch of both sides once, with Arrow's own threads; nothing is kept."""

    def work() -> int:
        return sum(
            batch.num_rows
            for side in ("reference", "current")
            for batch in pa.dataset.dataset(folder / side).to_batches()
        )

    return work, lambda found: found
