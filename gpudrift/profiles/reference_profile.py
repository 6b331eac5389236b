"""Profile: a reference, read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING

from gpudrift.config import Settings
from gpudrift.errors import DataError
from gpudrift.frames import Problem, Source, TableLike, open_source
from gpudrift.profiles.columns import Column
from gpudrift.profiles.counting import Progress, count_source
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.weights import RowWeights
from gpudrift_kernels.backend import Backend, get_backend

if TYPE_CHECKING:
    from gpudrift.profiles.drift_report import DriftReport


@dataclass(frozen=True, eq=False)
class Profile:
    """How the columns of a reference are counted and binned, and the counts of the reference itself.

    Made by ``gpudrift.profile`` or ``gpudrift.load_profile``; never changes.

    Attributes
    ----------
    profile_id : str
        Digest of the columns and the reference counts: the same reference gives the same one.
    reference : Counts
        Counts of the reference.
    problems : tuple of Problem
        Columns of the reference that are not part of the profile, and why.
    weights : str, optional
        Column of the rows' weights.
    weight_exponent : int
        Weights are counted in units of 2**weight_exponent.
    """

    profile_id: str
    plans: tuple[Column, ...]
    reference: Counts
    problems: tuple[Problem, ...]
    explicit: frozenset[str]
    weights: str | None = None
    weight_exponent: int = 0

    @classmethod
    def build(
        cls,
        plans: Sequence[Column],
        counts: Counts,
        *,
        problems: Iterable[Problem],
        explicit: frozenset[str],
        weights: str | None = None,
        weight_exponent: int = 0,
        named: bool = True,
    ) -> Profile:
        """From planned columns and the reference counted over them.

        One that nobody keeps needs no name: a digest takes longer than to count 50,000 rows.
        """
        from gpudrift.profiles.gdp import content_digest

        draft = cls("", tuple(plans), counts, tuple(problems), explicit, weights, weight_exponent)
        profile_id = content_digest(draft) if named else ""
        return replace(draft, profile_id=profile_id, reference=replace(counts, profile_id=profile_id, problems=()))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the reference's order."""
        return tuple(plan.name for plan in self.plans)

    @property
    def n_rows(self) -> int:
        """Rows of the reference."""
        return self.reference.n_rows

    def row_weights(self, source: Source, name: str | None, role: str = "current") -> RowWeights | None:
        """The weights of a source's rows, in the profile's units; None without a name.

        Raises
        ------
        DataError
            The profile was made without weights.
        """
        if name is None:
            return None
        if self.weights is None:
            raise DataError(f"the profile was made without weights; make it again with weights={name!r}")
        return RowWeights.of(source, name, role, self.weight_exponent)

    def count(
        self,
        batch: TableLike,
        *,
        weights: str | None = None,
        backend: str | Backend = "auto",
        progress: Progress | None = None,
    ) -> Counts:
        """Count a batch: integers only, which add and subtract.

        Parameters
        ----------
        batch : table
            Anything that ``gpudrift.profile`` takes. Columns the profile does not know are ignored; those it misses,
            or finds in another type, are named in ``problems`` of the result.
        weights : str, optional
            Column of row weights; that of the profile by default.
        backend : {"auto", "cpu", "cuda", "cuda:1", ...} or Backend
            Device that counts; all give the same bits.
        progress : callable, optional
            Called with a number of rows whenever so many have been counted.

        Examples
        --------
        >>> import numpy as np
        >>> import gpudrift as gd
        >>> champion = gd.profile({"x": np.arange(100.0)})
        >>> monday, tuesday = champion.count({"x": np.arange(50.0)}), champion.count({"x": np.arange(50.0, 100.0)})
        >>> monday + tuesday == champion.reference
        True
        """
        device = get_backend(backend)
        source = open_source(batch, "current", again=False, residence=device.residence)
        row_weights = self.row_weights(source, weights or self.weights)
        return count_source(source, self.plans, self.profile_id, device, progress, weights=row_weights)

    def compare(
        self, counts: Counts, *, settings: Settings | None = None, backend: str | Backend = "auto"
    ) -> DriftReport:
        """Every statistic and the verdict, from counts alone.

        Parameters
        ----------
        counts : Counts
            Of this profile.
        settings : Settings, optional
            Thresholds, alpha and correction; ``columns`` limits the comparison to those named.

        Raises
        ------
        DataError
            Counts of another profile, or nothing to compare: no common column, or no row.

        Examples
        --------
        >>> import numpy as np
        >>> import gpudrift as gd
        >>> rng = np.random.default_rng(0)
        >>> champion = gd.profile({"x": rng.normal(size=1000)})
        >>> champion.compare(champion.count({"x": rng.normal(1, size=1000)})).drifted
        ('x',)
        """
        from gpudrift.profiles.compare import compare

        if not isinstance(counts, Counts):
            raise DataError(
                f"compare takes the Counts of a batch, got {type(counts).__name__}; call profile.count first"
            )
        return compare(self, counts, settings or Settings(), get_backend(backend))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the profile to a file, atomically; by custom its name ends in ``.gdp``."""
        from gpudrift.profiles.gdp import save_profile

        save_profile(self, path)

    def __repr__(self) -> str:
        return f"Profile({self.n_rows:,} rows, {len(self.plans)} columns, {self.profile_id[:12]})"
