"""The arithmetic of a cell, stated once: scalar functions that every device wraps for itself.

A value x falls in the cell

    t = (x - centre) * scale              scale is a power of two
    b = bits(|t| + 1) - bits(1)           grows with |t|: linear up to 1, logarithmic after
    q = min(b >> near_shift, near_cells + ((b - near_limit) >> far_shift), last)
    cell = half + q  if t >= 0 else  half - 1 - q

Fine cells run out to ``octaves`` doublings of |t| + 1, coarse ones to the end of the dtype. Each step is monotone
under rounding, so the cell number is monotone in x. ``scale`` is a power of two, so the fused and the separate
form of (x - c) * s + 1 round alike and every device gets the same bits.

No literal here has a decimal point: one would turn float32 work into float64 on a GPU.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

#: Where the values that have no cell are counted, relative to the last index of a plan.
MISSING: Final = 0
POSITIVE_INFINITY: Final = 1
NEGATIVE_INFINITY: Final = 2
N_SPECIAL: Final = 3


class Layout(NamedTuple):
    """The numbers of the cell rule for one floating type, typed so that no kernel promotes them.

    Attributes
    ----------
    one : 1 in the type of t.
    bits_of_one, near_shift, near_limit, near_cells, far_shift, last : integers as wide as t, see above.
    half : cells on each side of the centre.
    """

    one: Any
    bits_of_one: Any
    near_shift: Any
    near_limit: Any
    near_cells: Any
    far_shift: Any
    last: Any
    half: np.int32

    @property
    def float_type(self) -> Any:
        """Type of t."""
        return type(self.one)

    @property
    def int_type(self) -> Any:
        """Integer of the same width, which holds its bits."""
        return type(self.bits_of_one)


@cache
def layout_for(dtype: str, bits: int, octaves: int) -> Layout:
    """Layout of the cells for a storage dtype: float32 works in float32, everything else in float64."""
    float_type, int_type, mantissa, exponents, far_bits = (
        (np.float32, np.int32, 23, 128, 4) if dtype == "float32" else (np.float64, np.int64, 52, 1024, 2)
    )
    near = octaves << bits
    half = near + ((exponents - octaves) << far_bits)
    return Layout(
        one=float_type(1),
        bits_of_one=float_type(1).view(int_type),
        near_shift=int_type(mantissa - bits),
        near_limit=int_type(octaves << mantissa),
        near_cells=int_type(near),
        far_shift=int_type(mantissa - far_bits),
        last=int_type(half - 1),
        half=np.int32(half),
    )


def steps_from_centre(b: Any, layout: Layout) -> Any:
    """q: how many cells from the centre; the fine count is the smaller one exactly where it applies."""
    far = layout.near_cells + ((b - layout.near_limit) >> layout.far_shift)
    return min(min(b >> layout.near_shift, far), layout.last)


def side(t: Any, q: Any, half: Any) -> Any:
    """Cell number from q and the sign of t; ~q == -1 - q keeps the two centre cells equally wide."""
    return half + (~q if t < 0 else q)


def double_of(floor: Any, ceil: Any) -> Any:
    """Twice an integral value, and the odd number between for the rest.

    In a column of integral floats this parts every integer from the open interval beside it, so an integer is
    always alone in its cell without a cut.
    """
    return floor + ceil
