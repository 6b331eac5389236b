"""Reports of windows, each made when it is asked for, and what many of them say together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift.monitor.drift_table import DriftTable, GroupTable, binned, binned_or_absent, drift_table, table_decides
from gpudrift.monitor.entries import report_entry, table_entries
from gpudrift.monitor.question import Question, table_of
from gpudrift.monitor.regimes import ChangePoint, Likeness, Regime, change, credible, distances, split_regimes
from gpudrift.monitor.slice_reports import SliceReports
from gpudrift.monitor.slices import Slice
from gpudrift.monitor.windows import Range, Span, ranges_before, window_ranges
from gpudrift.nearest import hint
from gpudrift.period import Period
from gpudrift.profiles.columns import Column, Counted, NumericColumn
from gpudrift.profiles.compare import wanted_columns
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift_kernels.lazily import lazily


@dataclass(frozen=True, eq=False)
class WindowReports(Mapping[Span, DriftReport]):
    """The report of each window that has rows, in time order, by its (start, end).

    Counts are kept by window, so any range of them is answered without the data.
    """

    question: Question
    ranges: Mapping[Span, Range]
    before: Mapping[Span, Range] = field(default_factory=dict)
    place: int | None = None
    _made: dict[Span, DriftReport] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, question: Question, place: int | None = None) -> WindowReports:
        """The windows that settings ask for, of all rows or of a slice; of a slice those that it has rows of."""
        ranges, before = ranges_of(question.sections.spans, question.settings)
        if place is not None:
            n_rows = question.sections.n_rows[:, place]
            needed = [ranges, before] if question.previous else [ranges]
            ranges = {span: at for span, at in ranges.items() if all(n_rows[slice(*of[span])].any() for of in needed)}
        return cls(question, ranges, before, place)

    def __getitem__(self, span: Span) -> DriftReport:
        if span not in self._made:
            self._made[span] = self._report(self.ranges[span], self.before.get(span))
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
        if self.question.settings != other.question.settings or self._label != other._label:
            raise DataError("windows of different settings cannot be added; check both with the same")
        question = replace(
            self.question,
            sections=self.question.sections + other.question.sections,
            slices={**other.question.slices, **self.question.slices},
        )
        if self._label is not None:
            return SliceReports(question).windows(self._label)
        return WindowReports.of(question)

    @lazily
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
        current = sections.tables(list(self.ranges.values()), self.place)
        if question.previous:
            reference = sections.tables([self.before[span] for span in self], self.place)
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
        return self._report((inside[0], inside[-1] + 1))

    def matrix(self, feature: str | None = None) -> NDArray[np.float64]:
        """Jensen-Shannon distance between every two windows, of one feature or its mean over all.

        Returns
        -------
        float64, shape (n_windows, n_windows)
            Symmetric, zeros on the diagonal; NaN where a window has no values.
        """
        return distances(self._bins(feature), [(k, k + 1) for k in range(len(self))])

    def change_point(self, feature: str | None = None) -> ChangePoint:
        """Where the windows changed most likely, with a 95% interval, in one feature or in any.

        A change of the share of rows without a value is one too.

        Raises
        ------
        DataError
            Fewer than two windows, windows that overlap, or an unknown feature.
        """
        spans = self._apart()
        where, probability = change([binned_or_absent(*counted) for counted in self._tables(feature).values()])
        earliest, latest = credible(where)
        at = spans[int(np.argmax(where)) + 1][0]
        return ChangePoint(at, spans[earliest + 1][0], spans[latest + 1][0], probability, feature)

    @lazily
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
        """The past regime that the present one, the last, is most like; None where there was no other to compare."""
        ranges = self._regime_ranges
        apart = distances(self._bins(None), ranges)[-1, :-1]
        if np.isnan(apart).all():
            return None
        place = int(np.nanargmin(apart))
        return Likeness(self.regimes[place], float(apart[place]))

    def counts(self, span: Span) -> Counts:
        """Counts of a window, over the grid."""
        return self.question.sections.of(windows=slice(*self.ranges[span]), place=self.place)

    def problems(self) -> list[Problem]:
        """Features that windows can hardly be told apart by: their bins and cells are those of the reference."""
        question, found = self.question, []
        if not question.previous:
            return []
        for f, table in question.sections.tables(list(self.ranges.values()), self.place).items():
            column = question.profile.plans[f]
            known = question.profile.reference.column(f)
            if isinstance(column, NumericColumn) and 2 * _outside(column, known, table) > table.rows.sum():
                what = "lies outside the range of the reference in more than half of the rows, where windows look alike"
                found.append(
                    Problem(column.name, what, "compare with the reference, or pass one that holds such values")
                )
        return found

    def to_list(self) -> list[dict[str, Any]]:
        """An entry for each window, as plain values; no NaN among them."""
        settings = self.question.settings
        if table_decides(settings):
            n_rows = [(self._n_reference(span), self._n_current(of)) for span, of in self.ranges.items()]
            found = table_entries(self.table, n_rows, settings)
        else:
            found = [report_entry(report) for report in self.values()]
        return [
            {"start": plain_time(start), "end": plain_time(end), **entry}
            for (start, end), entry in zip(self, found, strict=True)
        ]

    def _report(self, of: Range, before: Range | None = None) -> DriftReport:
        question, sections = self.question, self.question.sections
        reference = None if self.place is None else self._slice_reference
        if before is not None:
            reference = sections.of(windows=slice(*before), place=self.place)
        made = question.report(sections.of(windows=slice(*of), place=self.place), reference)
        if self.place is None and question.slices:
            made = replace(made, slices=SliceReports(question, of, before))
        return made

    def _n_current(self, of: Range) -> int:
        rows = self.question.sections.n_rows[slice(*of)]
        return int((rows if self.place is None else rows[:, self.place]).sum())

    def _n_reference(self, span: Span) -> int:
        if self.question.previous:
            return self._n_current(self.before[span])
        return self.question.profile.n_rows if self.place is None else self._slice_reference.n_rows

    @lazily
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
        """Rows of each PSI bin or category by window, of one feature or of all."""
        return {name: binned(*counted) for name, counted in self._tables(feature).items()}

    def _tables(self, feature: str | None) -> dict[str, tuple[Column, GroupTable]]:
        """Rows by window of one feature, or of all that are compared and no index."""
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
        return {name: known[name] for name in names}

    @property
    def _label(self) -> Slice | None:
        """Of the slice whose windows these are."""
        slices = self.question.sections.slices
        return None if slices is None or self.place is None else slices.labels[self.place]

    @property
    def _slice_reference(self) -> Counts:
        if (label := self._label) is None:
            raise DataError("these are no windows of a slice")
        return self.question.slices[label]

    def __repr__(self) -> str:
        spans = list(self)
        return f"WindowReports({len(spans)} windows, {spans[0][0]} to {spans[-1][1]})" if spans else "WindowReports()"


def ranges_of(spans: Sequence[Span], settings: Settings) -> tuple[dict[Span, Range], dict[Span, Range]]:
    """The windows that settings ask for and the base windows that each is made of, and those of the window before."""
    window = Period.parse(settings.window or "")
    every = Period.parse(settings.every) if settings.every else window
    ranges = window_ranges(spans, window, every, expanding=settings.expanding)
    if settings.against == "reference":
        return ranges, {}
    before = ranges_before(spans, ranges, window, every)
    return {span: ranges[span] for span in before}, before


def plain_time(moment: Any) -> Any:
    """A time as ISO 8601 text; a row number as it is."""
    return moment.isoformat() if hasattr(moment, "isoformat") else moment


def _outside(column: NumericColumn, reference: Counted, table: GroupTable) -> int:
    """Rows with a value below the reference's least or above its greatest."""
    occupied = reference[0][reference[0] < column.n_values]
    if not occupied.size:
        return 0
    inside = table.rows[:, occupied[0] : occupied[-1] + 1]
    return int(table.rows[:, : column.n_values].sum()) - int(inside.sum())
