"""Reports of windows and of slices, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift.monitor.drift_table import DriftTable, GroupTable, binned, drift_table, stacked, table_decides
from gpudrift.monitor.entries import report_entry, table_entries
from gpudrift.monitor.regimes import ChangePoint, Likeness, Regime, change, credible, distances, split_regimes
from gpudrift.monitor.sections import Sections
from gpudrift.monitor.slices import Slice
from gpudrift.monitor.windows import Range, Span, window_ranges
from gpudrift.nearest import hint
from gpudrift.period import Period
from gpudrift.profiles.compare import compare, dense, wanted_columns
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

    def __add__(self, other: WindowReports) -> WindowReports:
        """The windows of both, as if their rows had come together: what came late joins its window.

        Raises
        ------
        DataError
            They are of different profiles, settings or slices, or of windows that are no stretches of time.
        """
        if not isinstance(other, WindowReports):
            return NotImplemented
        if self.question.settings != other.question.settings or self.place != other.place:
            raise DataError("windows of different settings cannot be added; check both with the same")
        question = replace(self.question, sections=self.question.sections + other.question.sections)
        return WindowReports(question, ranges_of(question.sections.spans, question.settings), self.place)

    @cached_property
    def table(self) -> DriftTable:
        """Statistics and verdicts of all windows at once, a row each: what their reports say, without making them.

        Raises
        ------
        DataError
            A statistic of the user's own, or one without a default threshold, is asked for: only reports have those.
        """
        question, sections = self.question, self.question.sections
        if not table_decides(question.settings):
            raise DataError("a table holds the statistics that decide by default; read the others off each report")
        ranges = list(self.ranges.values())
        current = sections.tables(ranges, self.place)
        if question.previous:
            reference = sections.tables([_before(of) for of in ranges], self.place)
        else:
            counts = question.profile.reference if self.place is None else self._slice_reference
            reference = table_of(question.profile, counts)
        wanted = wanted_columns(question.profile, question.settings)
        current = {f: table for f, table in current.items() if question.profile.plans[f].name in wanted}
        return drift_table(question.profile, current, reference, question.settings, question.backend)

    @property
    def drifted(self) -> tuple[Span, ...]:
        """Windows whose report says dataset_drift."""
        if not table_decides(self.question.settings):
            return tuple(span for span, report in self.items() if report.dataset_drift)
        return tuple(span for span, drifted in zip(self, self.table.dataset_drift, strict=True) if drifted)

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

    def matrix(self, feature: str | None = None) -> NDArray[np.float64]:
        """Jensen-Shannon distance between every two windows, of one feature or its mean over all.

        Returns
        -------
        float64, shape (n_windows, n_windows)
            Symmetric, zeros on the diagonal; NaN where a window has no values.
        """
        return distances(self._bins(feature), [(k, k + 1) for k in range(len(self))])

    def change_point(self, feature: str | None = None) -> ChangePoint:
        """Where the windows changed most likely, with a 95% interval, in one feature or in all together.

        Raises
        ------
        DataError
            Fewer than two windows, windows that overlap, or an unknown feature.
        """
        spans = self._apart()
        where, probability = change(list(self._bins(feature).values()))
        earliest, latest = credible(where)
        at = spans[int(np.argmax(where)) + 1][0]
        return ChangePoint(at, spans[earliest + 1][0], spans[latest + 1][0], probability, feature)

    @cached_property
    def regimes(self) -> tuple[Regime, ...]:
        """Stretches of windows without a change that is both certain and material.

        Material is a Jensen-Shannon distance at its threshold, in some feature.
        """
        spans, of = self._apart(), list(self.ranges.values())
        return tuple(
            Regime(spans[first][0], spans[last - 1][1], self._n_current((of[first][0], of[last - 1][1])))
            for first, last in self._regime_ranges
        )

    def nearest(self) -> Likeness | None:
        """The past regime that the present one, the last, is most like; None where there was no other."""
        ranges = self._regime_ranges
        if len(ranges) < 2:
            return None
        apart = distances(self._bins(None), ranges)[-1, :-1]
        place = int(np.nanargmin(apart))
        return Likeness(self.regimes[place], float(apart[place]))

    def counts(self, span: Span) -> Counts:
        """Counts of a window, over the grid."""
        return self.question.sections.of(windows=slice(*self.ranges[span]), place=self.place)

    def to_list(self) -> list[dict[str, Any]]:
        """An entry for each window, as plain values; no NaN among them."""
        settings = self.question.settings
        if table_decides(settings):
            n_rows = [(self._n_reference(of), self._n_current(of)) for of in self.ranges.values()]
            found = table_entries(self.table, n_rows, settings)
        else:
            found = [report_entry(report) for report in self.values()]
        return [
            {"start": plain_time(start), "end": plain_time(end), **entry}
            for (start, end), entry in zip(self, found, strict=True)
        ]

    def _report(self, of: Range, *, alone: bool = False) -> DriftReport:
        question, sections = self.question, self.question.sections
        reference = None if self.place is None else self._slice_reference
        if question.previous and not alone:
            reference = sections.of(windows=slice(*_before(of)), place=self.place)
        made = question.report(sections.of(windows=slice(*of), place=self.place), reference)
        if self.place is None and question.slices:
            made = replace(made, slices=SliceReports(question, of))
        return made

    def _n_current(self, of: Range) -> int:
        rows = self.question.sections.n_rows[slice(*of)]
        return int((rows if self.place is None else rows[:, self.place]).sum())

    def _n_reference(self, of: Range) -> int:
        if self.question.previous:
            return self._n_current(_before(of))
        return self.question.profile.n_rows if self.place is None else self._slice_reference.n_rows

    @cached_property
    def _regime_ranges(self) -> list[Range]:
        self._apart()
        return split_regimes(self._bins(None), material=self.question.settings.threshold("js_distance"))

    def _apart(self) -> list[Span]:
        """The windows, if they can have a change between them."""
        spans = list(self)
        if len(spans) < 2:
            raise DataError(f"a change needs at least two windows, there are {len(spans)}; make them shorter")
        of = list(self.ranges.values())
        if any(later[0] < earlier[1] for earlier, later in pairwise(of)):
            raise DataError("windows that overlap have no change between them; leave every and expanding out")
        return spans

    def _bins(self, feature: str | None) -> dict[str, NDArray[Any]]:
        """Rows of each PSI bin or category by window, of one feature or of all that are compared and no index."""
        question = self.question
        wanted = wanted_columns(question.profile, question.settings)
        explicit = question.profile.explicit | set(question.settings.columns)
        known = {
            column.name: (column, table)
            for f, table in question.sections.tables(list(self.ranges.values()), self.place).items()
            if (column := question.profile.plans[f]).name in wanted
        }
        if feature is None:
            names = [n for n, (c, _) in known.items() if n in explicit or not (c.unique or c.grows)] or list(known)
        elif feature in known:
            names = [feature]
        else:
            raise DataError(f"no feature {feature!r} was compared: {hint(feature, list(known))}")
        return {name: binned(*known[name]) for name in names}

    @property
    def _slice_reference(self) -> Counts:
        slices = self.question.sections.slices
        if slices is None or self.place is None:
            raise DataError("these are no windows of a slice")
        return self.question.slices[slices.labels[self.place]]

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
    _made: dict[Slice, DriftReport] = field(default_factory=dict, repr=False)

    @cached_property
    def _places(self) -> dict[Slice, int]:
        """Slices that both sides have rows of, worst first: what reaches furthest beyond its threshold."""
        question, known = self.question, self._known
        if not known:
            return {}
        if table_decides(question.settings):
            beyond = np.where(self._table.drifted, self._table.severity(question.settings), 0.0)
            worst = dict(zip(known, beyond.max(axis=1, initial=0.0).tolist(), strict=True))
        else:
            reports = {label: self._report(place) for label, place in known.items()}
            self._made.update(reports)
            worst = {
                label: max((f.severity(question.settings) for f in report.values() if f.drifted), default=0.0)
                for label, report in reports.items()
            }
        order = sorted(known, key=lambda label: (-worst[label], [text or "" for text in label]))
        return {label: known[label] for label in order}

    @cached_property
    def _known(self) -> dict[Slice, int]:
        """Places of the slices that both sides have rows of."""
        sections = self.question.sections
        return {
            label: place
            for place, label in enumerate(sections.slices.labels if sections.slices else ())
            if sections.of(windows=self._windows, place=place).n_rows and self._reference(label).n_rows
        }

    @cached_property
    def _table(self) -> DriftTable:
        """Statistics and verdicts of the known slices, a row each."""
        question, sections, known = self.question, self.question.sections, self._known
        wanted = wanted_columns(question.profile, question.settings)
        of = [self.of or (0, sections.place.shape[0] - sections.first)]
        current = [sections.tables(of, place) for place in known.values()]
        reference = [table_of(question.profile, self._reference(label)) for label in known]
        places = [f for f in current[0] if question.profile.plans[f].name in wanted]
        return drift_table(
            question.profile,
            {f: stacked([side[f] for side in current]) for f in places},
            {f: stacked([side[f] for side in reference]) for f in places},
            question.settings,
            question.backend,
        )

    @property
    def _windows(self) -> slice | None:
        return None if self.of is None else slice(*self.of)

    def _reference(self, label: Slice) -> Counts:
        question = self.question
        return question.slices.get(label) or Counts.empty(question.profile.profile_id)

    def _report(self, place: int) -> DriftReport:
        sections = self.question.sections
        label = sections.slices.labels[place] if sections.slices else ()
        return self.question.report(sections.of(windows=self._windows, place=place), self._reference(label))

    def __getitem__(self, label: Slice | str) -> DriftReport:
        key = (label,) if isinstance(label, str) else label
        if key not in self._made:
            self._made[key] = self._report(self._places[key])
        return self._made[key]

    def __iter__(self) -> Iterator[Slice]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __bool__(self) -> bool:
        return len(self) > 0

    @property
    def drifted(self) -> tuple[Slice, ...]:
        """Slices whose report says dataset_drift, worst first."""
        if not self or not table_decides(self.question.settings):
            return tuple(label for label, report in self.items() if report.dataset_drift)
        drifted = dict(zip(self._known, self._table.dataset_drift.tolist(), strict=True))
        return tuple(label for label in self if drifted[label])

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
        sections, settings = self.question.sections, self.question.settings
        names = sections.slices.names if sections.slices else ()
        if not self or not table_decides(settings):
            return [{"slice": dict(zip(names, label, strict=True)), **report_entry(r)} for label, r in self.items()]
        n_rows = [
            (self._reference(label).n_rows, sections.of(windows=self._windows, place=place).n_rows)
            for label, place in self._known.items()
        ]
        entries = dict(zip(self._known, table_entries(self._table, n_rows, settings), strict=True))
        return [{"slice": dict(zip(names, label, strict=True)), **entries[label]} for label in self]

    def __repr__(self) -> str:
        return f"SliceReports({len(self)} slices, {len(self.drifted)} drifted)"


def table_of(profile: Profile, counts: Counts) -> dict[int, GroupTable]:
    """Counts as tables of a single group."""
    tables = {}
    for f, column in enumerate(profile.plans):
        rows, effective = (dense(side, column.n_counters)[None] for side in (counts.column(f), counts.effective(f)))
        tables[f] = GroupTable(rows, effective)
    return tables


def ranges_of(spans: Sequence[Span], settings: Settings) -> dict[Span, Range]:
    """The windows that settings ask for, and the base windows that each is made of."""
    window = Period.parse(settings.window or "")
    every = Period.parse(settings.every) if settings.every else window
    ranges = window_ranges(spans, window, every, expanding=settings.expanding)
    if settings.against == "reference":
        return ranges
    return {span: of for span, of in ranges.items() if _before(of)[0] >= 0}


def plain_time(moment: Any) -> Any:
    """A time as ISO 8601 text; a row number as it is."""
    return moment.isoformat() if hasattr(moment, "isoformat") else moment


def slice_name(label: Slice) -> str:
    """A slice for people."""
    return " / ".join("(missing)" if text is None else text for text in label)


def _before(of: Range) -> Range:
    """As many base windows, right before."""
    return 2 * of[0] - of[1], of[0]
