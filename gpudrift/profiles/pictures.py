"""The plain values behind a report's pictures: shares by bin and by display bin, never a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.profiles.columns import Column, Counted, NumericColumn
from gpudrift.profiles.counts import merged
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.feature_drift import Bin, FeatureDrift
from gpudrift.profiles.labels import value_label
from gpudrift.profiles.section_views import slices_view, windows_view
from gpudrift.version import __version__

if TYPE_CHECKING:
    from gpudrift.profiles.counts import Counts
    from gpudrift.profiles.reference_profile import Profile
    from gpudrift.report.view import DensityView, FeatureView, ReportView

_DISPLAY_BINS: Final = 40
_TAIL: Final = 0.005  # of either end left out of a picture, so that one outlier does not flatten the rest
_MOST_BINS: Final = 40
_MOST_PICTURES: Final = 200


def report_view(report: DriftReport, profile: Profile, counts: Counts, *, title: str, created: str) -> ReportView:
    """Everything the page shows."""
    place = {name: f for f, name in enumerate(profile.columns)}
    settings = report.settings
    return {
        "title": title,
        "version": __version__,
        "backend": report.backend,
        "created": created,
        "rows": {"reference": report.n_reference, "current": report.n_current},
        "dataset_drift": report.dataset_drift,
        "share_drifted": report.to_dict()["share_drifted"],
        "alpha": settings.alpha,
        "correction": {"benjamini-hochberg": "Benjamini-Hochberg", "bonferroni": "Bonferroni"}.get(
            settings.correction, "no correction"
        ),
        "settings": "exact" if settings.exact else "from counts",
        "features": [
            _feature_view(
                feature,
                profile.plans[place[name]],
                profile.reference.column(place[name]),
                counts.column(place[name]),
                draw=k < _MOST_PICTURES,
            )
            for k, (name, feature) in enumerate(report.items())
        ],
        "windows": windows_view(report),
        "slices": slices_view(report),
        "problems": [{"feature": p.feature or None, "what": p.what, "remedy": p.remedy} for p in report.problems],
    }


def _feature_view(
    feature: FeatureDrift, column: Column, reference: Counted, current: Counted, *, draw: bool
) -> FeatureView:
    entry = feature.to_dict()

    def move(b: Bin) -> float:
        return abs(_share(b.current, feature.n_current) - _share(b.reference, feature.n_reference))

    occupied = [b for b in feature.bins if b.reference + b.current]
    most = set(sorted(occupied, key=move, reverse=True)[:_MOST_BINS])
    shown = [b for b in occupied if b in most]
    density = None
    if draw and isinstance(column, NumericColumn):
        density = _density(column, column.value_counts(reference), column.value_counts(current))
    view: FeatureView = {
        "name": feature.name,
        "kind": feature.kind,
        "dtype": feature.dtype,
        "drifted": feature.drifted,
        "counted": feature.counted,
        "reasons": entry["reasons"],
        "psi": entry["psi"],
        "psi_bins": feature.psi_bins,
        "js_distance": entry["js_distance"],
        "hellinger": entry["hellinger"],
        "wasserstein": entry["wasserstein"],
        "cramers_v": entry["cramers_v"],
        "ks": entry["ks"],
        "p_value": entry["p_value"],
        "n": entry["n"],
        "missing": entry["missing"],
        "new": feature.new,
        "statistics": entry["statistics"],
        "intervals": entry["intervals"],
        "bins": [{"label": b.label, "reference": b.reference, "current": b.current} for b in shown],
        "density": density,
    }
    return view


def _density(column: NumericColumn, reference: Counted, current: Counted) -> DensityView | None:
    """Shares in display bins between the outer half percents of both sides; None for a single value."""
    indices = merged(reference[0], current[0])
    if indices.size < 2:
        return None
    shares = [_shares(indices, side) for side in (reference, current)]
    reach = column.extent(indices)
    low, high = (side.astype(np.float64) for side in (reach.first, reach.last))
    middle = low / 2 + high / 2
    both = np.cumsum(shares[0] + shares[1])
    inside = (both > _TAIL * both[-1]) & (np.append(0.0, both[:-1]) < (1 - _TAIL) * both[-1])
    middle, shares = middle[inside], [side[inside] for side in shares]
    if middle.size < 2:
        return None
    if middle.size <= _DISPLAY_BINS:
        steps = np.diff(middle) / 2
        edges = np.concatenate([[middle[0] - steps[0]], middle[:-1] + steps, [middle[-1] + steps[-1]]])
    else:
        edges = np.linspace(low[inside].min(), high[inside].max(), _DISPLAY_BINS + 1)
    if not np.all(np.isfinite(edges)) or not np.all(np.diff(edges) > 0):
        return None
    place = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, edges.size - 2)
    drawn = [np.bincount(place, weights=side, minlength=edges.size - 1).round(6).tolist() for side in shares]
    return {
        "edges": edges.tolist(),
        "labels": [value_label(edge, column.meaning) for edge in edges],
        "reference": drawn[0],
        "current": drawn[1],
    }


def _shares(indices: NDArray[np.int64], side: Counted) -> NDArray[np.float64]:
    out = np.zeros(indices.size)
    out[np.searchsorted(indices, side[0])] = side[1] / max(int(side[1].sum()), 1)
    return out


def _share(rows: float, total: int) -> float:
    return rows / total if total else 0.0
