"""Reports of slices, worst first, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift.monitor.drift_table import DriftTable, GroupTable, drift_table, stacked, table_decides
from gpudrift.monitor.entries import report_entry, table_entries
from gpudrift.monitor.question import Question, table_of
from gpudrift.monitor.slices import Slice, slice_name
from gpudrift.monitor.windows import Range
from gpudrift.nearest import hint
from gpudrift.profiles.columns import NumericColumn
from gpudrift.profiles.compare import wanted_columns
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.remarks import VAGUE
from gpudrift.profiles.verdict import MIN_VALUES
from gpudrift_kernels.lazily import lazily

if TYPE_CHECKING:
    from gpudrift.monitor.window_reports import WindowReports


@dataclass(frozen=True, eq=False)
class SliceReports(Mapping[Slice, DriftReport]):
    """The report of each slice against the same slice of the reference (or of the windows before), worst first.

    A slice is the text of its categories, a tuple of several columns' where there are several.
    """

    question: Question
    of: Range | None = None
    before: Range | None = None
    _made: dict[Slice, DriftReport] = field(default_factory=dict, repr=False)

    @lazily
    def _places(self) -> dict[Slice, int]:
        """Slices that both sides have rows of, worst first: by the furthest beyond a threshold, then by size."""
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
        order = sorted(known, key=lambda label: (-worst[label], known[label]))
        return {label: known[label] for label in order}

    @lazily
    def _known(self) -> dict[Slice, int]:
        """Places of the slices that both sides have rows of."""
        sections = self.question.sections
        return {
            label: place
            for place, label in enumerate(sections.slices.labels if sections.slices else ())
            if sections.of(windows=self._windows, place=place).n_rows and self._reference(label).n_rows
        }

    @lazily
    def _tables(self) -> tuple[dict[int, GroupTable], dict[int, GroupTable]]:
        """Rows of the known slices by counter, a row each, of the reference and of the current data."""
        question, sections, known = self.question, self.question.sections, self._known
        wanted = wanted_columns(question.profile, question.settings)
        of = [self.of or (0, sections.place.shape[0] - sections.first)]
        current = [sections.tables(of, place) for place in known.values()]
        reference = [table_of(question.profile, self._reference(label)) for label in known]
        places = [f for f in current[0] if question.profile.plans[f].name in wanted]
        one, other = ({f: stacked([side[f] for side in sides]) for f in places} for sides in (reference, current))
        return one, other

    @lazily
    def _table(self) -> DriftTable:
        """Statistics and verdicts of the known slices, a row each."""
        reference, current = self._tables
        return drift_table(self.question.profile, current, reference, self.question.settings, self.question.backend)

    @property
    def _windows(self) -> slice | None:
        return None if self.of is None else slice(*self.of)

    def _reference(self, label: Slice) -> Counts:
        question, sections = self.question, self.question.sections
        if self.before is not None and sections.slices is not None:
            return sections.of(windows=slice(*self.before), place=sections.slices.labels.index(label))
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
        from gpudrift.monitor.window_reports import WindowReports  # which imports this

        sections = self.question.sections
        if sections.slices is None or not sections.spans:
            raise DataError("the rows were not counted by window; pass time and window too")
        slice_label = (label,) if isinstance(label, str) else label
        if slice_label not in sections.slices.labels:
            raise DataError(f"no slice {label!r}: {hint(slice_name(slice_label), list(map(slice_name, self)))}")
        place = sections.slices.labels.index(slice_label)
        return WindowReports.of(self.question, place)

    def problems(self) -> list[Problem]:
        """Slices of either side that the other does not have, and those that look alike whatever they hold."""
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
        return found + (self._alike() if self._known else [])

    def _alike(self) -> list[Problem]:
        """Features of which both sides of a slice lie within a cell of the whole reference: told apart no further."""
        found: list[Problem] = []
        names = [slice_name(label) for label in self._known]
        for (f, reference), current in zip(self._tables[0].items(), self._tables[1].values(), strict=True):
            column = self.question.profile.plans[f]
            if not isinstance(column, NumericColumn) or column.cells is None:
                continue
            several = np.flatnonzero(~column.extent(column.cells).single)
            rows = [table.rows[:, : column.n_values] for table in (reference, current)]
            least = [np.maximum(side.sum(axis=1, keepdims=True), MIN_VALUES) for side in rows]
            held = (side[:, several] / n for side, n in zip(rows, least, strict=True))
            shares = np.minimum(*held).max(axis=1, initial=0.0)
            labels = [name for name, share in zip(names, shares.tolist(), strict=True) if share > VAGUE]
            if labels:
                shown = ", ".join(labels[:5]) + (", ..." if len(labels) > 5 else "")
                what = f"looks alike within a cell of the whole reference, which holds much of these slices: {shown}"
                found.append(Problem(column.name, what, "compare such a slice alone"))
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
