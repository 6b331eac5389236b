"""Reports of windows and of slices, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gpudrift.config import Settings
from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift.monitor.sections import Sections
from gpudrift.monitor.slices import Slice
from gpudrift.monitor.windows import Range, Span
from gpudrift.profiles.compare import compare
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.reference_profile import Profile
from gpudrift_kernels.backend import Backend


@dataclass(frozen=True, eq=False)
class Question:
    """What current sections are compared with, and how.

    Attributes
    ----------
    profile : Profile
        Over the grid of the sections.
    slices : mapping of Slice to Counts
        The reference's rows of each slice; empty without slices.
    previous : bool
        Compare a window with the one before it, not with the reference.
    """

    profile: Profile
    sections: Sections
    slices: Mapping[Slice, Counts]
    settings: Settings
    backend: Backend
    previous: bool = False

    def report(self, current: Counts, reference: Counts | None = None) -> DriftReport:
        """Compare with the profile's reference, or with some other counts."""
        profile = self.profile if reference is None else replace(self.profile, reference=reference)
        return compare(profile, current, self.settings, self.backend)


@dataclass(frozen=True, eq=False)
class WindowReports(Mapping[Span, DriftReport]):
    """The report of each window that has rows, in time order, by its (start, end).

    Counts are kept by window, so any range of them is answered without the data.
    """

    question: Question
    ranges: Mapping[Span, Range]
    place: int | None = None
    _made: dict[Span, DriftReport] = field(default_factory=dict, repr=False)

    def __getitem__(self, span: Span) -> DriftReport:
        if span not in self._made:
            self._made[span] = self._report(self.ranges[span])
        return self._made[span]

    def __iter__(self) -> Iterator[Span]:
        return iter(self.ranges)

    def __len__(self) -> int:
        return len(self.ranges)

    def __bool__(self) -> bool:
        return len(self) > 0

    @property
    def drifted(self) -> tuple[Span, ...]:
        """Windows whose report says dataset_drift."""
        return tuple(span for span, report in self.items() if report.dataset_drift)

    def between(self, start: Any, end: Any) -> DriftReport:
        """The report of all windows that lie between two times, from the stored counts.

        Raises
        ------
        DataError
            No window lies there.
        """
        spans = self.question.sections.spans
        if not spans:
            raise DataError("no row has a time, so there is no window; mend the times")
        try:
            inside = [k for k, (first, last) in enumerate(spans) if first >= start and last <= end]
        except TypeError as error:
            raise DataError(f"{start!r} and {end!r} are no times like {spans[0][0]!r}; pass such") from error
        if not inside:
            raise DataError(f"no window lies between {start} and {end}; the first starts {spans[0][0]}")
        return self._report((inside[0], inside[-1] + 1), alone=True)

    def counts(self, span: Span) -> Counts:
        """Counts of a window, over the grid."""
        return self.question.sections.of(windows=slice(*self.ranges[span]), place=self.place)

    def to_list(self) -> list[dict[str, Any]]:
        """An entry for each window, as plain values."""
        return [
            {"start": plain_time(start), "end": plain_time(end), **summary(self[start, end])} for start, end in self
        ]

    def _report(self, of: Range, *, alone: bool = False) -> DriftReport:
        question, sections = self.question, self.question.sections
        reference = None if self.place is None else question.slices[sections.slices.labels[self.place]]  # type: ignore[union-attr]
        if question.previous and not alone:
            reference = sections.of(windows=slice(*_before(of)), place=self.place)
        made = question.report(sections.of(windows=slice(*of), place=self.place), reference)
        if self.place is None and question.slices:
            made = replace(made, slices=SliceReports(question, of))
        return made

    def __repr__(self) -> str:
        spans = list(self)
        return f"WindowReports({len(spans)} windows, {spans[0][0]} to {spans[-1][1]})" if spans else "WindowReports()"


@dataclass(frozen=True, eq=False)
class SliceReports(Mapping[Slice, DriftReport]):
    """The report of each slice against the same slice of the reference, worst first.

    A slice is the text of its categories, a tuple of several columns' where there are several.
    """

    question: Question
    of: Range | None = None

    @cached_property
    def _made(self) -> dict[Slice, DriftReport]:
        question, sections = self.question, self.question.sections
        made: dict[Slice, DriftReport] = {}
        for place, label in enumerate(sections.slices.labels if sections.slices else ()):
            current = sections.of(windows=None if self.of is None else slice(*self.of), place=place)
            reference = question.slices.get(label)
            if current.n_rows and reference is not None and reference.n_rows:
                made[label] = question.report(current, reference)
        settings = question.settings
        worst = {
            label: max((f.severity(settings) for f in report.values() if f.drifted), default=0.0)
            for label, report in made.items()
        }
        order = sorted(made, key=lambda label: (-worst[label], -made[label].share_drifted, [t or "" for t in label]))
        return {label: made[label] for label in order}

    def __getitem__(self, label: Slice | str) -> DriftReport:
        return self._made[(label,) if isinstance(label, str) else label]

    def __iter__(self) -> Iterator[Slice]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    @property
    def drifted(self) -> tuple[Slice, ...]:
        """Slices whose report says dataset_drift, worst first."""
        return tuple(label for label, report in self.items() if report.dataset_drift)

    def windows(self, label: Slice | str) -> WindowReports:
        """The windows of a slice, against the same slice of the reference."""
        sections = self.question.sections
        if sections.slices is None or not sections.spans:
            raise DataError("the rows were not counted by window; pass time and window too")
        slice_label = (label,) if isinstance(label, str) else label
        if slice_label not in sections.slices.labels:
            raise KeyError(label)
        place = sections.slices.labels.index(slice_label)
        rows = sections.n_rows[:, place]
        previous = np.append(0, rows[:-1]) if self.question.previous else rows
        ranges = {span: (k, k + 1) for k, span in enumerate(sections.spans) if rows[k] and previous[k]}
        return WindowReports(self.question, ranges, place)

    def problems(self) -> list[Problem]:
        """Slices of either side that the other does not have."""
        sections, found = self.question.sections, []
        if sections.slices is None:
            return []
        columns = ", ".join(sections.slices.names)
        present = {label for k, label in enumerate(sections.slices.labels) if sections.of(place=k).n_rows}
        known = {label for label, counts in self.question.slices.items() if counts.n_rows}
        new, gone = (sorted(map(slice_name, labels)) for labels in (present - known, known - present))
        for side, labels, remedy in (
            ("reference", new, "they have no report; profile a reference that holds them"),
            ("current", gone, "check whether data were lost there"),
        ):
            if labels:
                shown = ", ".join(labels[:5]) + (", ..." if len(labels) > 5 else "")
                what = f"slices without rows in the {side} data, {len(labels):,} of them: {shown}"
                found.append(Problem(columns, what, remedy))
        return found

    def to_list(self) -> list[dict[str, Any]]:
        """An entry for each slice, worst first, as plain values."""
        names = self.question.sections.slices.names if self.question.sections.slices else ()
        return [{"slice": dict(zip(names, label, strict=True)), **summary(report)} for label, report in self.items()]

    def __repr__(self) -> str:
        return f"SliceReports({len(self)} slices, {len(self.drifted)} drifted)"


def summary(report: DriftReport) -> dict[str, Any]:
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


def plain_time(moment: Any) -> Any:
    """A time as ISO 8601 text; a row number as it is."""
    return moment.isoformat() if hasattr(moment, "isoformat") else moment


def slice_name(label: Slice) -> str:
    """A slice for people."""
    return " / ".join("(missing)" if text is None else text for text in label)


def _before(of: Range) -> Range:
    """As many base windows, right before."""
    return 2 * of[0] - of[1], of[0]
