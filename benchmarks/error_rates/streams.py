"""Streams of rows: both sides of a report drawn anew, by a process in time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.signal import lfilter
from scipy.special import ndtri

import gpudrift as gd
from benchmarks.error_rates.kinds import Values, kinds_of
from benchmarks.error_rates.sample import Pair, Sample
from benchmarks.error_rates.shifts import Shift
from gpudrift.profiles import DriftReport
from gpudrift_kernels.backend import Backend


@dataclass(frozen=True)
class Process:
    """How rows, or columns, depend on each other.

    Attributes
    ----------
    phi : float
        Lag-one autocorrelation in [0, 1) of every latent: stationary AR(1), independent between columns and sides.
    common : float
        Correlation between the columns of a row.
    """

    phi: float = 0.0
    common: float = 0.0

    def latents(self, rng: np.random.Generator, n: int, features: int) -> Values:
        """Standard normal latents, shape (features, n)."""
        z = rng.standard_normal((features, n))
        if self.common:
            z = math.sqrt(1 - self.common) * z + math.sqrt(self.common) * rng.standard_normal(n)
        if self.phi:
            z[:, 1:] *= math.sqrt(1 - self.phi**2)
            z = lfilter([1.0], [1.0, -self.phi], z, axis=1)
        return z


def side(rng: np.random.Generator, n: int, features: int, process: Process, shift: Shift | None = None) -> list[Values]:
    """The columns of one side, NaN where missing; missing values follow a latent of their own."""
    kinds = kinds_of(features)
    gaps = [f for f, kind in enumerate(kinds) if kind.missing]
    latents = process.latents(rng, n, features)
    absent = process.latents(rng, n, len(gaps))
    columns = [kind.of_latent(z) for kind, z in zip(kinds, latents, strict=True)]
    for f, z in zip(gaps, absent, strict=True):
        columns[f] = np.where(z < ndtri(kinds[f].missing), np.nan, columns[f])
    if shift is not None:
        values = columns[shift.feature].copy()
        moved = rng.random(n) < shift.share
        values[moved] = shift.move(values[moved])
        columns[shift.feature] = values
    return columns


def table(columns: list[Values]) -> pa.Table:
    """The columns as a user holds them."""
    kinds = kinds_of(len(columns))
    return pa.table({f"x{f}": kinds[f].column(values) for f, values in enumerate(columns)})


def compared(reference: list[Values], current: list[Values], backend: Backend) -> DriftReport:
    """gpudrift's report, by its public face."""
    return gd.check_drift(reference=table(reference), current=table(current), backend=backend)


def pairs(reference: list[Values], current: list[Values]) -> list[Pair]:
    """The same rows for the other rules."""
    kinds = kinds_of(len(reference))
    return [
        Pair(Sample.of_rows(r), Sample.of_rows(c), kind.categorical)
        for r, c, kind in zip(reference, current, kinds, strict=True)
    ]
