"""Streams of counts, where rows would be waste: multinomial draws on the counters of a profile.

A population gives each of about a thousand values a share. The counts of n rows from it are one multinomial draw, and
gpudrift's answer to counts is its answer to the rows behind them. Rows that depend on each other are drawn the same way
for the process that keeps its value with probability phi and else draws a new one, whose autocorrelation is phi^lag
for every law of the values (DAR(1): Jacobs and Lewis 1978, doi:10.1111/j.2517-6161.1978.tb01653.x): given how many
times it drew, the draws are multinomial, and the rows spread over them as a uniform composition does, a
Dirichlet-multinomial draw.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtri

import gpudrift as gd
from benchmarks.error_rates.kinds import KINDS, Kind, Values, kinds_of
from benchmarks.error_rates.sample import N_CHUNKS, Pair, Sample
from benchmarks.error_rates.shifts import Shift
from gpudrift.profiles import Counts, DriftReport, Profile
from gpudrift.profiles.bins import bin_starts
from gpudrift.profiles.columns import Column, NumericColumn
from gpudrift_kernels.backend import Backend
from gpudrift_kernels.cpu.histogram import index_of
from gpudrift_kernels.rules import MISSING

#: Values of a population: at so many the Kolmogorov-Smirnov test is about 2 % short of that of a continuous law.
_N_VALUES: Final = 1024


@dataclass(frozen=True, eq=False)
class Population:
    """Values, NaN for missing, and the share of each."""

    values: Values
    shares: Values

    @classmethod
    def of_kind(cls, kind: Kind) -> Population:
        """The kind's law: categories as they are, numbers at equally likely latents."""
        if kind.categorical:
            return cls(np.arange(len(kind.shares), dtype=np.float64), np.array(kind.shares))
        values = kind.of_latent(ndtri((np.arange(_N_VALUES) + 0.5) / _N_VALUES))
        distinct, times = np.unique(values, return_counts=True)
        shares = times / _N_VALUES
        if kind.missing:
            return cls(np.append(distinct, np.nan), np.append(shares * (1 - kind.missing), kind.missing))
        return cls(distinct, shares)

    def after(self, shift: Shift) -> Population:
        """The law of the shifted rows."""
        stays, moves = self.shares * (1 - shift.share), self.shares * shift.share
        return Population(np.concatenate([self.values, shift.move(self.values)]), np.concatenate([stays, moves]))

    def draw(self, rng: np.random.Generator, n: int, phi: float) -> NDArray[np.int64]:
        """Counts of n rows in ten stretches of n / 10, shape (10, values)."""
        size = n // N_CHUNKS
        if not phi:
            return rng.multinomial(size, self.shares, size=N_CHUNKS)
        return np.stack([self._sticky(rng, size, phi) for _ in range(N_CHUNKS)])

    def _sticky(self, rng: np.random.Generator, n: int, phi: float) -> NDArray[np.int64]:
        n_draws = 1 + int(rng.binomial(n - 1, 1 - phi))
        draws = rng.multinomial(n_draws, self.shares)
        weights = rng.standard_gamma(draws)  # 0 where nothing was drawn
        return draws + rng.multinomial(n - n_draws, weights / weights.sum())


@lru_cache(maxsize=4)
def pilot(features: int) -> Profile:
    """A profile whose plans the draws are counted by."""
    order = np.random.default_rng(0).permutation(_N_VALUES)  # a sorted column of whole numbers looks like an index
    columns: dict[str, pa.Array] = {}
    for f, kind in enumerate(kinds_of(features)):
        latent = ndtri((order + 0.5) / _N_VALUES)
        values = order % len(kind.shares) + 0.0 if kind.categorical else kind.of_latent(latent)
        columns[f"x{f}"] = kind.column(values)
    return gd.profile(pa.table(columns))


@lru_cache(maxsize=len(KINDS))
def population(kind: Kind) -> Population:
    """The law of a kind, made once."""
    return Population.of_kind(kind)


#: Of each column of a side: its law, and the counts drawn from it, shape (10, values).
Side = list[tuple[Population, NDArray[np.int64]]]


def side(rng: np.random.Generator, n: int, features: int, phi: float, shift: Shift | None = None) -> Side:
    """Every column of one side."""
    laws = [population(kind) for kind in kinds_of(features)]
    if shift is not None:
        laws[shift.feature] = laws[shift.feature].after(shift)
    return [(law, law.draw(rng, n, phi)) for law in laws]


def compared(reference: Side, current: Side, backend: Backend) -> DriftReport:
    """gpudrift's report on the draws: bins from the reference's, as in a profile of its rows."""
    base = pilot(len(reference))
    counted = [_counts(base, drawn) for drawn in (reference, current)]
    plans = tuple(
        replace(plan, bin_starts=bin_starts(*plan.value_counts(counted[0].column(f))))
        if isinstance(plan, NumericColumn)
        else plan
        for f, plan in enumerate(base.plans)
    )
    return replace(base, plans=plans, reference=counted[0]).compare(counted[1], backend=backend)


def pairs(reference: Side, current: Side) -> list[Pair]:
    """The same draws for the other rules."""
    kinds = kinds_of(len(reference))
    return [
        Pair(Sample.of_counts(r.values, drawn_r), Sample.of_counts(c.values, drawn_c), kind.categorical)
        for (r, drawn_r), (c, drawn_c), kind in zip(reference, current, kinds, strict=True)
    ]


def _counts(base: Profile, drawn: Side) -> Counts:
    columns = []
    for f, (law, counts) in enumerate(drawn):
        dense = np.zeros(base.plans[f].n_counters, np.int64)
        np.add.at(dense, _counters(base.plans[f], law), counts.sum(axis=0))
        columns.append((f, dense, None))
    return Counts.gather(base.profile_id, int(drawn[0][1].sum()), columns)


@lru_cache(maxsize=512)
def _counters(plan: Column, law: Population) -> NDArray[np.int64]:
    """The counter of each value: missing ones have their own, and so have categories that are not in the profile."""
    values = law.values
    if isinstance(plan, NumericColumn):
        found = index_of(np.nan_to_num(values).astype(plan.plan.dtype), plan.plan)
        return np.where(np.isnan(values), plan.plan.n_index + MISSING, found)
    places = {name: place for place, name in enumerate(plan.vocabulary.to_pylist())}
    return np.array([places.get(f"c{int(code)}", len(places)) for code in values])
