"""What a package itself says of the cases: ``.peers/NAME/bin/python -m benchmarks.error_rates.check_peers NAME OUT``.

Runs in the package's own environment, with nothing of gpudrift's dependencies. The answers are frozen in
``tests/benchmarks/fixtures`` and compared with the restated rules where the package is not installed.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.error_rates.peer_cases import CATEGORICAL, Case, cases, checksum


def evidently(case: Case) -> dict[str, Any]:
    """Statistic, value and drift of each column, and whether the dataset drifted."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    names = list(case.reference)
    numerical = [name for name in names if name not in CATEGORICAL]
    definition = DataDefinition(numerical_columns=numerical, categorical_columns=list(CATEGORICAL))
    sides = [Dataset.from_pandas(_frame(side), data_definition=definition) for side in (case.current, case.reference)]
    found = Report([DataDriftPreset()], include_tests=True).run(*sides).dict()
    columns = {}
    for metric in found["metrics"]:
        config = metric["config"]
        if "column" in config:
            columns[config["column"]] = {"method": config["method"], "value": _rounded(metric["value"])}
    for test in found["tests"]:
        params = test["metric_config"]["params"]
        if "column" in params:
            columns[params["column"]]["drifted"] = test["status"] == "FAIL"
        else:
            dataset = test["status"] == "FAIL"
    return {"columns": columns, "dataset": dataset}


def nannyml(case: Case) -> dict[str, Any]:
    """Distances, thresholds and alerts of each column's ten chunks."""
    from nannyml import UnivariateDriftCalculator

    calculator = UnivariateDriftCalculator(list(case.reference), treat_as_categorical=list(CATEGORICAL))
    result = calculator.fit(_frame(case.reference)).calculate(_frame(case.current)).filter(period="analysis").to_df()
    columns = {}
    for name in case.reference:
        method = result[name]["jensen_shannon"]
        columns[name] = {
            "values": method["value"].astype(float).tolist(),
            "threshold": float(method["upper_threshold"].iloc[0]),
            "alerts": method["alert"].astype(bool).tolist(),
        }
    return {"columns": columns}


def alibi_detect(case: Case) -> dict[str, Any]:
    """p-value of each column, None where it is NaN, and whether the batch drifted."""
    from alibi_detect.cd import TabularDrift

    names = list(case.reference)
    reference, current = (np.column_stack(list(side.values())) for side in (case.reference, case.current))
    detector = TabularDrift(reference, categories_per_feature={names.index(name): None for name in CATEGORICAL})
    found = detector.predict(current)["data"]
    p = [None if np.isnan(value) else float(value) for value in found["p_val"]]
    return {
        "columns": {name: {"p": value} for name, value in zip(names, p, strict=True)},
        "level": float(found["threshold"]),
        "dataset": bool(found["is_drift"]),
    }


ASK: Final[dict[str, Callable[[Case], dict[str, Any]]]] = {
    "evidently": evidently,
    "nannyml": nannyml,
    "alibi-detect": alibi_detect,
}


def main() -> None:
    name, out = sys.argv[1], Path(sys.argv[2])
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")  # the packages' own, of which there are many
    document = {
        "package": name,
        "version": version(name),
        "numpy": np.__version__,
        "scipy": version("scipy"),
        "cases": {case.name: {"checksum": checksum(case)} | ASK[name](case) for case in cases()},
    }
    out.write_text(json.dumps(document, indent=1) + "\n")


def _rounded(value: float) -> float:
    """To 12 digits: evidently adds in the order of a set, which differs from run to run."""
    return float(f"{value:.12g}")


def _frame(side: dict[str, np.ndarray[Any, np.dtype[np.float64]]]) -> pd.DataFrame:
    """Categories as text, as most tables hold them."""
    return pd.DataFrame(
        {name: [f"c{int(v)}" for v in values] if name in CATEGORICAL else values for name, values in side.items()}
    )


if __name__ == "__main__":
    main()
