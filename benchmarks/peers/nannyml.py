"""NannyML: the univariate calculator, one chunk a side."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nannyml
import pandas as pd

from benchmarks.peers import inputs

VERSION = version("nannyml")
_RESOLUTION = 1 / 1024


def drift(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """JS (base 2), and KS from 10,000 equal bins: it has no PSI."""
    reference, current = (pd.DataFrame(table) for table in inputs.sides(folder))

    def work() -> Any:
        calculator = nannyml.UnivariateDriftCalculator(
            column_names=list(reference), continuous_methods=["jensen_shannon", "kolmogorov_smirnov"], chunk_number=1
        )
        return calculator.fit(reference).calculate(current)

    def described(result: Any) -> dict[str, Any]:
        frame = result.filter(period="analysis").to_df()
        found = {}
        for name in reference:
            js, ks = (
                float(frame[(name, method, "value")].iloc[0]) for method in ("jensen_shannon", "kolmogorov_smirnov")
            )
            found[name] = [None, js, ks - _RESOLUTION, ks + _RESOLUTION]
        return found

    return work, described
