"""SectionCounter: counts the windows and slices of a check in the pass that counts its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.errors import DataError
from gpudrift.frames import Batch, Problem, Source
from gpudrift.monitor.question import Question
from gpudrift.monitor.sections import SectionLabels
from gpudrift.monitor.slice_reports import SliceReports
from gpudrift.monitor.slices import Slice, SliceLabels
from gpudrift.monitor.window_reports import WindowReports
from gpudrift.monitor.windows import window_labels
from gpudrift.period import Period
from gpudrift.profiles.columns import Column
from gpudrift.profiles.counting import count_source
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.grid import Grid
from gpudrift.profiles.group_counts import GroupCounter
from gpudrift.profiles.reference_profile import Profile
from gpudrift.profiles.weights import RowWeights
from gpudrift_kernels.backend import Backend


@dataclass(frozen=True)
class SectionCounter:
    """The ``groups`` of ``count_source`` for the windows and slices that settings ask for."""

    settings: Settings
    backend: Backend
    grid: Grid
    labels: SectionLabels
    of_reference: Mapping[Slice, Counts]
    counter: GroupCounter

    @classmethod
    def of(
        cls,
        profile: Profile,
        reference: Source | None,
        current: Source,
        settings: Settings,
        backend: Backend,
        now: datetime | None,
    ) -> SectionCounter:
        """Ready to count: slices are looked for on both sides, and counted in the reference.

        Raises
        ------
        DataError
            Columns of times or slices that cannot serve, or slices beside a reference without rows.
        """
        grid = Grid.of(profile)
        slices, of_reference = None, {}
        if settings.slices:
            if reference is None:
                raise DataError("slices need the rows of the reference, a profile has none; pass the reference itself")
            slices = SliceLabels.of(
                {"reference": reference, "current": current}, settings.slices, most=settings.max_slices
            )
            weights = profile.row_weights(reference, settings.weights, "reference")
            of_reference = _counted(grid, profile, reference, slices, weights, backend)
        windows = period = None
        if settings.window is not None:
            period = Period.parse(settings.every or settings.window)
            windows = window_labels(
                current, "current", period, time=settings.time, zone=settings.zone, now=now or datetime.now(UTC)
            )
        labels = SectionLabels(windows, slices, period)
        return cls(settings, backend, grid, labels, of_reference, GroupCounter(grid, labels, backend))

    @property
    def names(self) -> Sequence[str]:
        """Columns of times and slices."""
        return self.counter.names

    def add(self, batch: Batch, columns: Mapping[int, Column], weights: NDArray[np.int64] | None) -> None:
        """Count the rows of a batch by window and slice."""
        self.counter.add(batch, columns, weights)

    def attach(self, report: DriftReport, problems: Sequence[Problem]) -> DriftReport:
        """The report with its windows and slices."""
        settings = self.settings
        sections = self.labels.sections(self.counter.finish(), problems)
        question = Question(self.grid.profile, sections, self.of_reference, settings, self.backend)
        remarks = list(sections.remarks)
        windows = slices = None
        if settings.window is not None:
            windows = WindowReports.of(question)
            if not windows:
                what = f"has no whole window of {Period.parse(settings.window)}" + (
                    " with one before it" if question.previous else ""
                )
                remarks.append(Problem(settings.time or "rows", what, "make windows shorter, or pass more data"))
            remarks += windows.problems()
        if settings.slices:
            slices = SliceReports(question)
            remarks += slices.problems()
        return replace(
            report, windows=windows, slices=slices, problems=tuple(dict.fromkeys([*report.problems, *remarks]))
        )


def _counted(
    grid: Grid,
    profile: Profile,
    reference: Source,
    slices: SliceLabels,
    weights: RowWeights | None,
    backend: Backend,
) -> dict[Slice, Counts]:
    """Counts of the reference by slice, over the grid."""
    labels = SectionLabels(None, slices, None)
    counter = GroupCounter(grid, labels, backend)
    counts = count_source(reference, profile.plans, profile.profile_id, backend, weights=weights, groups=counter)
    sections = labels.sections(counter.finish(), counts.problems)
    return {label: sections.of(place=place) for place, label in enumerate(slices.labels)}
