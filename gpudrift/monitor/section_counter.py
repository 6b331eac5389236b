"""SectionCounter: counts the windows and slices of a check in the pass that counts its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from gpudrift.monitor.window_reports import WindowReports, ranges_of
from gpudrift.monitor.windows import window_labels
from gpudrift.period import Period
from gpudrift.profiles.columns import Column
from gpudrift.profiles.counting import count_source
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.grid import Grid
from gpudrift.profiles.group_counts import GroupCounter
from gpudrift.profiles.reference_profile import Profile
from gpudrift_kernels.backend import Backend


class SectionCounter:
    """The ``groups`` of ``count_source`` for the windows and slices that settings ask for."""

    def __init__(
        self,
        profile: Profile,
        reference: Source | None,
        current: Source,
        settings: Settings,
        backend: Backend,
        now: datetime | None,
    ) -> None:
        self._settings = settings
        self._backend = backend
        self._grid = Grid.of(profile)
        slices = None
        self._of_reference: dict[Slice, Counts] = {}
        if settings.slices:
            if reference is None:
                raise DataError("slices need the rows of the reference, a profile has none; pass the reference itself")
            slices = SliceLabels.of(
                {"reference": reference, "current": current}, settings.slices, most=settings.max_slices
            )
            self._of_reference = self._count_slices(profile, reference, slices)
        windows = period = None
        if settings.window is not None:
            period = Period.parse(settings.every or settings.window)
            windows = window_labels(
                current, "current", period, time=settings.time, zone=settings.zone, now=now or datetime.now(UTC)
            )
        self._labels = SectionLabels(windows, slices, period)
        self._counter = GroupCounter(self._grid, self._labels, backend)

    @property
    def names(self) -> Sequence[str]:
        """Columns of times and slices."""
        return self._counter.names

    def add(self, batch: Batch, columns: Mapping[int, Column], weights: NDArray[np.int64] | None) -> None:
        """Count the rows of a batch by window and slice."""
        self._counter.add(batch, columns, weights)

    def attach(self, report: DriftReport, problems: Sequence[Problem]) -> DriftReport:
        """The report with its windows and slices."""
        settings = self._settings
        sections = self._labels.sections(self._counter.finish(), problems)
        question = Question(
            self._grid.profile, sections, self._of_reference, settings, self._backend, settings.against == "previous"
        )
        remarks = list(sections.remarks)
        windows = slices = None
        if settings.window is not None:
            ranges = ranges_of(sections.spans, settings)
            if not ranges:
                what = f"has no whole window of {Period.parse(settings.window)}" + (
                    " with one before it" if question.previous else ""
                )
                remarks.append(Problem(settings.time or "rows", what, "make windows shorter, or pass more data"))
            windows = WindowReports(question, ranges)
            remarks += windows.problems()
        if settings.slices:
            slices = SliceReports(question)
            remarks += slices.problems()
        return replace(
            report, windows=windows, slices=slices, problems=tuple(dict.fromkeys([*report.problems, *remarks]))
        )

    def _count_slices(self, profile: Profile, reference: Source, slices: SliceLabels) -> dict[Slice, Counts]:
        labels = SectionLabels(None, slices, None)
        counter = GroupCounter(self._grid, labels, self._backend)
        counts = count_source(
            reference, profile.plans, profile.profile_id, self._backend,
            weights=profile.row_weights(reference, self._settings.weights, "reference"), groups=counter,
        )  # fmt: skip
        sections = labels.sections(counter.finish(), counts.problems)
        return {label: sections.of(place=place) for place, label in enumerate(slices.labels)}
