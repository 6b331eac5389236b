"""What JSON says of each window or slice, from their table: thousands of reports without making one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.monitor.drift_table import DriftTable
from gpudrift.profiles.drift_report import DriftReport

_STATISTICS: Final = ("psi", "js_distance", "ks")


def table_entries(table: DriftTable, n_rows: Sequence[tuple[int, int]], settings: Settings) -> list[dict[str, Any]]:
    """An entry for each group of a table, as ``report_entry`` makes it of the group's report.

    Parameters
    ----------
    table : DriftTable
    n_rows : sequence of (int, int)
        Rows of the reference, and current ones, of each group.
    settings : Settings
        Worst features come first, in units of these thresholds.
    """
    n_drifted, n_judged = table.drifted.sum(axis=1), table.judged.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = _plain(n_drifted / n_judged)
    columns = {name: _plain(table.statistics[name]) for name in _STATISTICS}
    p_values, drifted = _plain(np.exp(table.log_p_value)), table.drifted.tolist()
    order = np.lexsort((-table.severity(settings), ~table.drifted), axis=1).tolist()
    return [
        {
            "rows": {"reference": reference, "current": current},
            "dataset_drift": bool(table.dataset_drift[k]),
            "share_drifted": shares[k],
            "features": {
                table.features[f]: {
                    "psi": columns["psi"][k][f],
                    "js_distance": columns["js_distance"][k][f],
                    "p_value": p_values[k][f],
                    "drifted": drifted[k][f],
                    "ks": columns["ks"][k][f],
                }
                for f in order[k]
            },
        }
        for k, (reference, current) in enumerate(n_rows)
    ]


def report_entry(report: DriftReport) -> dict[str, Any]:
    """A report in a few plain values."""
    whole = report.to_dict()
    return {
        "rows": whole["rows"],
        "dataset_drift": whole["dataset_drift"],
        "share_drifted": whole["share_drifted"],
        "features": {
            name: {key: entry[key] for key in ("psi", "js_distance", "p_value", "drifted")}
            | {"ks": entry["ks"]["statistic"] if entry["ks"] else None}
            for name, entry in whole["features"].items()
        },
    }


def _plain(values: NDArray[np.float64]) -> Any:
    """Nested lists; None where a value is not finite."""
    found = values.astype(object)
    found[~np.isfinite(values)] = None
    return found.tolist()
