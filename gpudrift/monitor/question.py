"""Question: what current sections are compared with, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gpudrift.config import Settings
from gpudrift.monitor.drift_table import GroupTable
from gpudrift.monitor.sections import Sections
from gpudrift.monitor.slices import Slice
from gpudrift.profiles.compare import compare
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.reference_profile import Profile
from gpudrift_kernels.backend import Backend
from gpudrift_kernels.occupied import dense


@dataclass(frozen=True, eq=False)
class Question:
    """What current sections are compared with, and how.

    Attributes
    ----------
    profile : Profile
        Over the grid of the sections.
    slices : mapping of Slice to Counts
        The reference's rows of each slice; empty without slices.
    """

    profile: Profile
    sections: Sections
    slices: Mapping[Slice, Counts]
    settings: Settings
    backend: Backend

    @property
    def previous(self) -> bool:
        """Whether a window is compared with the one before it, not with the reference."""
        return self.settings.against == "previous"

    def report(self, current: Counts, reference: Counts | None = None) -> DriftReport:
        """Compare with the profile's reference, or with some other counts."""
        profile = self.profile if reference is None else replace(self.profile, reference=reference)
        return compare(profile, current, self.settings, self.backend)


def table_of(profile: Profile, counts: Counts) -> dict[int, GroupTable]:
    """Counts as tables of a single group."""
    tables = {}
    for f, column in enumerate(profile.plans):
        rows, effective = (dense(side, column.n_counters)[None] for side in (counts.column(f), counts.effective(f)))
        tables[f] = GroupTable(rows, effective)
    return tables
