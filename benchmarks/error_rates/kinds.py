"""Kinds of features: what the values of a column look like, as a function of standard normal latents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """One kind of feature.

    Attributes
    ----------
    of_latent : callable
        Values of standard normal latents, rising with them; categories are whole codes from 0.
    shares : tuple of float
        Shares of the categories; empty for numbers.
    missing : float
        Share of rows without a value, NaN, independent of the values.
    whole : bool
        Numbers that are stored as integers.
    """

    name: str
    of_latent: Callable[[Values], Values]
    shares: tuple[float, ...] = ()
    missing: float = 0.0
    whole: bool = False

    @property
    def categorical(self) -> bool:
        return bool(self.shares)

    def column(self, values: Values) -> pa.Array:
        """The values as a column of a table; a code beyond the categories is one never seen before."""
        if self.categorical:
            names = pa.array([f"c{code}" for code in range(int(values.max()) + 1)], pa.large_string())
            return names.take(pa.array(values.astype(np.int64)))
        return pa.array(values.astype(np.int64) if self.whole else values)


def categories(name: str, weights: Values) -> Kind:
    """A kind of categories with shares in proportion to the weights."""
    shares = weights / weights.sum()
    ends = ndtri(np.cumsum(shares)[:-1])
    return Kind(name, lambda z: np.searchsorted(ends, z).astype(np.float64), tuple(shares.tolist()))


#: Tables hold these in turn.
KINDS: Final = (
    Kind("normal", lambda z: z),
    Kind("heavy tail", lambda z: z * np.exp(0.1 * z * z)),  # Tukey's h = 0.2: no fifth moment
    Kind("zero-inflated", lambda z: np.where(ndtr(z) < 0.4, 0.0, np.exp(z))),
    Kind("integer", lambda z: np.floor(4.0 * np.exp(0.5 * z)), whole=True),
    categories("few categories", np.array([0.4, 0.3, 0.15, 0.1, 0.05])),
    categories("many categories", 1.0 / (np.arange(300) + 5.0)),
    Kind("with missing", lambda z: z, missing=0.1),
    Kind("prices", lambda z: np.round(20.0 * np.exp(0.5 * z), 1)),
)


def kinds_of(features: int) -> list[Kind]:
    """Kinds of the columns of a table."""
    return [KINDS[f % len(KINDS)] for f in range(features)]
