"""Evidently: one report with the metric of each statistic and column."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift

from benchmarks.peers import inputs

VERSION = version("evidently")


def drift(folder: Path, *, methods: list[str]) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """``methods`` of "psi", "jensenshannon" (base e) and "ks" (the p-value of an exact KS); no picture is drawn."""
    reference, current = (pd.DataFrame(table) for table in inputs.sides(folder))
    names = list(reference)
    definition = DataDefinition(numerical_columns=names)
    sets = [Dataset.from_pandas(side, data_definition=definition) for side in (current, reference)]

    def work() -> Any:
        report = Report([ValueDrift(column=name, method=method) for name in names for method in methods])
        return report.run(*sets)

    def described(snapshot: Any) -> dict[str, Any]:
        values = iter(metric["value"] for metric in snapshot.dict()["metrics"])
        found = {name: {method: float(next(values)) for method in methods} for name in names}
        return {name: [m.get("psi"), m.get("jensenshannon"), None, None] for name, m in found.items()}

    return work, described
