"""CellPlan: how the values of one column map to cell numbers, frozen with a profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.errors import PlanError
from gpudrift_kernels.lazily import lazily
from gpudrift_kernels.rules import N_SPECIAL, Layout, layout_for

#: (fine cells an octave as a power of two, octaves of fine cells): dense about a centre, wider, spread over magnitudes.
SHAPES: Final = ((11, 3), (10, 5), (8, 32))
#: Storage types that kernels count: everything else is converted to one of them without loss.
DTYPES: Final = ("float32", "float64", "int64", "uint64")
MAX_CUTS: Final = 8192


@dataclass(frozen=True, eq=False)
class CellPlan:
    """Centre, scale, shape and cuts of one numeric column.

    Parameters
    ----------
    dtype : str
        Storage type of the values that are counted: one of ``DTYPES``.
    centre : float or int
        Subtracted first; an int for the integer types, where the subtraction is exact in 64 bits.
    exponent : int
        The scale is ``2.0 ** -exponent``.
    bits, octaves : int
        One of ``SHAPES``.
    integral : bool
        The values are whole numbers: they are counted at ``floor(x) + ceil(x)``.
    cuts : ndarray of dtype, ascending
        ``index(x) = cell(x) + number of cuts <= x``.

    Raises
    ------
    PlanError
        For a value outside these ranges.
    """

    dtype: str
    centre: float | int
    exponent: int
    bits: int
    octaves: int
    integral: bool = False
    cuts: NDArray[Any] = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise PlanError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")
        if (self.bits, self.octaves) not in SHAPES:
            raise PlanError(f"(bits, octaves) must be one of {SHAPES}, got {(self.bits, self.octaves)}")
        if not -self.max_exponent <= self.exponent <= self.max_exponent:
            raise PlanError(f"exponent must be within {self.max_exponent} of 0, got {self.exponent}")
        if self.integral and self.wide:
            raise PlanError(f"integral is for floating types, got {self.dtype}")
        if self.wide and not isinstance(self.centre, int):
            raise PlanError(f"centre must be an int for {self.dtype}, got {self.centre!r}")
        info = np.iinfo(self.dtype) if self.wide else np.finfo(self.dtype)
        if not int(info.min) <= self.centre <= int(info.max):
            raise PlanError(f"centre {self.centre!r} is outside {self.dtype}")
        cuts = np.array(self.cuts, dtype=self.dtype)
        ascending = cuts.ndim == 1 and (cuts.size < 2 or bool(np.all(cuts[1:] > cuts[:-1])))
        if not ascending or cuts.size > MAX_CUTS or (cuts.size and not np.all(np.isfinite(cuts))):
            raise PlanError(f"cuts must be at most {MAX_CUTS} distinct finite values in ascending order")
        cuts.flags.writeable = False
        object.__setattr__(self, "cuts", cuts)

    @property
    def wide(self) -> bool:
        """Whether values are 64-bit integers, which lose neighbours beyond 2**53 in a double."""
        return self.dtype in ("int64", "uint64")

    @property
    def max_exponent(self) -> int:
        """Largest exponent whose scale and inverse are both normal numbers of the working type."""
        return largest_exponent(self.dtype)

    @lazily
    def layout(self) -> Layout:
        """The numbers of the cell rule in the working type."""
        return layout_for(self.dtype, self.bits, self.octaves)

    @property
    def scale(self) -> Any:
        """2.0 ** -exponent in the working type."""
        return np.ldexp(self.layout.one, -self.exponent)

    @property
    def typed_centre(self) -> Any:
        """The centre in the storage dtype."""
        return np.dtype(self.dtype).type(self.centre)

    @property
    def n_cells(self) -> int:
        """Cells of the rule alone, without cuts."""
        return 2 * int(self.layout.half)

    @property
    def n_index(self) -> int:
        """Indices that a finite value can take."""
        return self.n_cells + self.cuts.size

    @property
    def n_counters(self) -> int:
        """Indices and the three special counters: missing, +inf, -inf."""
        return self.n_index + N_SPECIAL


def largest_exponent(dtype: str) -> int:
    """``CellPlan.max_exponent`` of a storage type."""
    return 126 if dtype == "float32" else 1022
