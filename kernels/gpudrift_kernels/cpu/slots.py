"""Where the arithmetic of a cell puts a value, on the CPU: the rule as it is stated, and as the counting loop takes it.

A slot is a cell with the special values beside it, where the rule itself leads them:

    0       1 .. n_cells    n_cells + 1    n_cells + 2
    -inf    the cells       +inf           NaN

t is infinite for -inf and +inf, so that q is one more than the last cell's; NaN has more bits than they. A finite value
so far out that t overflows comes to lie with the infinite ones: whoever counts must tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from gpudrift_kernels import rules
from gpudrift_kernels.cpu.compiled import inlined
from gpudrift_kernels.cpu.intrinsics import bits_of, upper_bits
from gpudrift_kernels.rules import Layout

_steps_from_centre = inlined(rules.steps_from_centre)
_side = inlined(rules.side)
_double_of = inlined(rules.double_of)

#: A shift by no more than this stays within 32 bits, as the compiler has to know.
_LARGEST_SHIFT = np.uint32(31)


@inlined
def layout_in(rule: Any) -> Layout:
    """The layout of a rule, in registers."""
    n = rule.numbers
    return Layout(rule.unit[1], n[0], n[1], n[2], n[3], n[4], n[5], np.int32(n[6]))


@inlined
def cell_at(t: Any, layout: Layout) -> Any:
    """Cell number of t, before cuts."""
    q = _steps_from_centre(bits_of(abs(t) + layout.one) - layout.bits_of_one, layout)
    return np.uint32(_side(t, np.int32(q), layout.half))


@inlined
def float_distance(x: Any, centre: Any, integral: Any) -> Any:
    """x - centre, or for a column of whole numbers floor(x) + ceil(x) - centre."""
    return (_double_of(np.floor(x), np.ceil(x)) if integral else x) - centre


@inlined
def wide_distance(x: Any, centre: Any) -> Any:
    """x - centre of 64-bit integers: taken modulo 2**64, exact on the side where it is not negative."""
    above = np.float64(np.uint64(x) - np.uint64(centre))
    below = np.float64(np.uint64(centre) - np.uint64(x))
    return -below if x < centre else above


def distance(x: Any, centre: Any, integral: Any) -> Any:
    """x - centre as the storage type has it; in compiled code alone."""
    raise NotImplementedError


@overload(distance, strict=False)
def _distance_for(x: Any, centre: Any, integral: Any) -> Callable[..., Any]:
    if isinstance(centre, types.Integer):
        return lambda x, centre, integral: wide_distance(x, centre)
    return lambda x, centre, integral: float_distance(x, centre, integral)


class Folded(NamedTuple):
    """A layout with its constants folded, in 32 bits for every type: twice as many float64 fit a vector.

    With m the upper 32 bits of |t| + 1, and since the shifts drop nothing of bits(1) and of near_limit,

        q + first = min(m >> near_shift, (m >> far_shift) + far_offset, last)
        slot      = above + (q + first)  if t >= 0 else  below - (q + first)

    Attributes
    ----------
    one : 1 in the type of t.
    near_shift, far_shift, far_offset, last, below, above : uint32, see above.
    """

    one: Any
    near_shift: Any
    far_shift: Any
    far_offset: Any
    last: Any
    below: Any
    above: Any


@inlined
def folded(layout: Layout, bits: Any, special: int) -> Folded:
    """A layout of so many bits folded, with slots for special values (1) or with cells alone, from 0 on (0)."""
    first = layout.bits_of_one >> layout.near_shift
    first_far = (layout.bits_of_one + layout.near_limit) >> layout.far_shift
    return Folded(
        one=layout.one,
        near_shift=np.uint32(layout.near_shift - (bits - 32)) & _LARGEST_SHIFT,
        far_shift=np.uint32(layout.far_shift - (bits - 32)) & _LARGEST_SHIFT,
        far_offset=np.uint32(layout.near_cells - first_far + first),
        last=np.uint32(layout.last + 2 * special + first),
        below=np.uint32(layout.last + special + first),
        above=np.uint32(layout.half + special - first),
    )


@inlined
def slot_at(t: Any, f: Folded) -> Any:
    """Slot of t, before cuts."""
    m = upper_bits(abs(t) + f.one)
    q = min(min(np.uint32(m >> f.near_shift), np.uint32(np.uint32(m >> f.far_shift) + f.far_offset)), f.last)
    return np.uint32(f.below - q) if t < 0 else np.uint32(f.above + q)
