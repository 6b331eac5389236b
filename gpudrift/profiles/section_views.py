"""The plain values behind the pictures of windows and slices, from the entries that JSON holds too."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gpudrift.period import Period
from gpudrift.report.moments import moment_labels

if TYPE_CHECKING:
    from gpudrift.profiles.drift_report import DriftReport
    from gpudrift.report.view import PartView, SlicesView, TimeLineView, WindowsView


def windows_view(report: DriftReport) -> WindowsView | None:
    """The windows of a report; None where it has none, not even an empty list."""
    if report.windows is None:
        return None
    settings, entries = report.settings, report.windows.to_list()
    length = Period.parse(settings.window) if settings.window else ""
    grown = ", each from the first one on" if settings.expanding else ""
    against = "the window before" if settings.against == "previous" else "the reference"
    labels = moment_labels([end if settings.expanding else start for start, end in report.windows])
    names = dict.fromkeys(name for entry in entries for name in entry["features"])
    return {
        "title": f"Windows of {length}{grown}, compared with {against}",
        "windows": [_part(label, entry) for label, entry in zip(labels, entries, strict=True)],
        "features": sorted((_time_line(name, entries, report) for name in names), key=_rank),
    }


def slices_view(report: DriftReport) -> SlicesView | None:
    """The slices of a report; None where it has none."""
    if report.slices is None:
        return None
    return {
        "columns": list(report.settings.slices),
        "slices": [
            _part(" / ".join("(missing)" if text is None else text for text in entry["slice"].values()), entry)
            for entry in report.slices.to_list()
        ],
    }


def _part(label: str, entry: Mapping[str, Any]) -> PartView:
    features = entry["features"]
    drifted = [name for name in features if features[name]["drifted"]]
    drifted.sort(key=lambda name: -(features[name]["psi"] or 0.0))
    return {
        "label": label,
        "rows": entry["rows"],
        "dataset_drift": entry["dataset_drift"],
        "judged": any(feature["p_value"] is not None for feature in features.values()),
        "drifted": [{"name": name, "psi": features[name]["psi"]} for name in drifted],
    }


def _time_line(name: str, entries: list[dict[str, Any]], report: DriftReport) -> TimeLineView:
    found = [entry["features"].get(name) for entry in entries]
    threshold = report.settings.threshold("psi", name)
    return {
        "name": name,
        "values": [feature and feature["psi"] for feature in found],
        "drifted": [bool(feature and feature["drifted"]) for feature in found],
        "counted": name not in report or report[name].counted,
        "threshold": threshold if math.isfinite(threshold) else None,
    }


def _rank(series: TimeLineView) -> tuple[bool, int, float]:
    """Features that drifted in most windows first, index-like ones last."""
    return not series["counted"], -sum(series["drifted"]), -sum(value or 0.0 for value in series["values"])
