"""DriftReport: what a comparison found of all features, as plain values."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw

from gpudrift.atomic import replacing
from gpudrift.config import Settings
from gpudrift.frames import Problem
from gpudrift.profiles.feature_drift import ADDED, FeatureDrift, finite
from gpudrift.version import __version__

if TYPE_CHECKING:
    from gpudrift.monitor.slice_reports import SliceReports
    from gpudrift.monitor.window_reports import WindowReports
    from gpudrift.profiles.counts import Counts
    from gpudrift.profiles.reference_profile import Profile
    from gpudrift.report import ReportView

FrameLibrary = Literal["pyarrow", "pandas", "polars"]


@dataclass(frozen=True, eq=False)
class DriftReport(Mapping[str, FeatureDrift]):
    """What a comparison found: a mapping from feature to FeatureDrift, worst first.

    Attributes
    ----------
    dataset_drift : bool
        At least one feature drifted (or ``settings.drift_share`` of them).
    share_drifted : float
        Drifted features among those that had a verdict.
    drifted : tuple of str
        Names of the drifted features, worst first.
    problems : tuple of Problem
        What could not be compared, and what a reader should know.
    windows : WindowReports, optional
        The report of each window by its (start, end), where windows were asked for.
    slices : SliceReports, optional
        The report of each slice, worst first, where slices were asked for.

    ``bool(report)`` raises: ask for ``report.dataset_drift``.
    """

    features: Mapping[str, FeatureDrift]
    dataset_drift: bool
    share_drifted: float
    problems: tuple[Problem, ...]
    n_reference: int
    n_current: int
    backend: str
    settings: Settings
    _profile: Profile = field(repr=False)
    _counts: Counts = field(repr=False)
    windows: WindowReports | None = None
    slices: SliceReports | None = None

    @property
    def drifted(self) -> tuple[str, ...]:
        return tuple(name for name, feature in self.features.items() if feature.drifted)

    def __getitem__(self, name: str) -> FeatureDrift:
        return self.features[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.features)

    def __len__(self) -> int:
        return len(self.features)

    def __bool__(self) -> bool:
        raise TypeError("a report is neither true nor false; ask for report.dataset_drift")

    def to_dict(self) -> dict[str, Any]:
        """JSON schema 1 as plain values; no NaN, no infinity."""
        whole: dict[str, Any] = {
            "schema": 1,
            "gpudrift": __version__,
            "backend": self.backend,
            "rows": {"reference": self.n_reference, "current": self.n_current},
            "dataset_drift": self.dataset_drift,
            "share_drifted": finite(self.share_drifted),
            "features": {name: feature.to_dict() for name, feature in self.features.items()},
            "problems": [problem.to_dict() for problem in self.problems],
        }
        if self.windows is not None:
            whole["windows"] = self.windows.to_list()
        if self.slices is not None:
            whole["slices"] = self.slices.to_list()
        return whole

    def to_json(self, *, indent: int | None = 2) -> str:
        """JSON schema 1 as text."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False, allow_nan=False)

    def to_frame(self, library: FrameLibrary = "pyarrow") -> Any:
        """One row a feature, as a table of the library named.

        Examples
        --------
        >>> import numpy as np
        >>> import gpudrift as gd
        >>> report = gd.check_drift(reference=np.arange(100.0), current=np.arange(100.0))
        >>> report.to_frame().column("psi").to_pylist()
        [0.0]
        """
        own = list(dict.fromkeys(name for f in self.features.values() for name in f.own))
        rows = [
            {
                "feature": f.name, "kind": f.kind, "drifted": f.drifted, "psi": f.psi, "psi_bins": f.psi_bins,
                "ks": f.ks.statistic if f.ks else None, "js_distance": f.js_distance, "wasserstein": f.wasserstein,
                "hellinger": f.hellinger, "cramers_v": f.cramers_v, "p_value": f.p_value,
                "missing_rate_reference": f.missing_rate_reference, "missing_rate_current": f.missing_rate_current,
                "new": f.new, "n_reference": f.n_reference, "n_current": f.n_current, "counted": f.counted,
                **{name: f.statistics.get(name) for name in (*ADDED, *own)},
            }
            for f in self.features.values()
        ]  # fmt: skip
        names = list(rows[0]) if rows else []
        columns = {name: [row[name] for row in rows] for name in names}
        return nw.from_dict(columns, backend=library).to_native()

    def save_html(self, path: str | PathLike[str], *, title: str = "Drift report", created: str = "") -> None:
        """Write the report as one self-contained page; ``created`` is a time to show, as text."""
        from gpudrift.report import render_report

        text = render_report(self.to_view(title=title, created=created))
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")

    def to_view(self, *, title: str = "Drift report", created: str = "") -> ReportView:
        """The plain values that the HTML page is made from: counts by bin, and no row of the data."""
        from gpudrift.profiles.pictures import report_view

        return report_view(self, self._profile, self._counts, title=title, created=created)

    def _repr_html_(self) -> str:
        from gpudrift.report import render_report

        page = html.escape(render_report(self.to_view()), quote=True)
        return f'<iframe srcdoc="{page}" sandbox="allow-scripts" style="width:100%;height:32rem;border:0"></iframe>'

    def __str__(self) -> str:
        n_judged = sum(f.judged for f in self.features.values())
        head = "drift" if self.dataset_drift else "no drift" if n_judged else "no verdict"
        lines = [
            f"{head}: {len(self.drifted)} of {n_judged} features drifted "
            f"({self.n_reference:,} reference rows, {self.n_current:,} current rows)",
            f"{'feature':24} {'drifted':7} {'PSI':>8} {'KS':>8} {'JS':>8} {'W1':>8} {'p':>9} {'missing':>15}",
        ]
        for f in self.features.values():
            verdict = "yes" if f.drifted else "no" if f.judged else "-"
            missing = f"{f.missing_rate_reference:.1%} -> {f.missing_rate_current:.1%}"
            lines.append(
                f"{f.name[:24]:24} {verdict:7} {f.psi:8.4f} {_cell(f.ks.statistic if f.ks else None)} "
                f"{f.js_distance:8.4f} {_cell(f.wasserstein)} {f.p_value:9.1e} {missing:>15}"
            )
        lines += [f"problem: {problem}" for problem in self.problems]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"DriftReport(dataset_drift={self.dataset_drift}, drifted={len(self.drifted)} of {len(self)} features, "
            f"rows {self.n_reference:,} -> {self.n_current:,})"
        )


def _cell(value: float | None) -> str:
    return f"{'-':>8}" if value is None else f"{value:8.4f}"
