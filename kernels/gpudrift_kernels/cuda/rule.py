"""Which counter a value of a column falls in, by the rule of its plan: for the Numba kernels that need one.

    x -> t -> cell -> + cuts below x -> index,  beside it which special it is, if any   (all in registers)

Nothing is read but the cut table, and cuts where a cell has some.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cuda.compiled import inlined

_steps_from_centre = inlined(rules.steps_from_centre)
_side = inlined(rules.side)
_double_of = inlined(rules.double_of)

MISSING = np.uint32(rules.MISSING)
_POSITIVE_INFINITY = np.uint32(rules.POSITIVE_INFINITY)
_NEGATIVE_INFINITY = np.uint32(rules.NEGATIVE_INFINITY)
NOT_SPECIAL = np.uint32(rules.N_SPECIAL)


class Rule(NamedTuple):
    """A plan as a kernel takes it: each number in the type it is used in, so that nothing is promoted."""

    centre: Any
    scale: Any
    integral: bool
    layout: rules.Layout
    n_index: np.uint32


def rule_of(plan: CellPlan) -> Rule:
    """The rule of a plan."""
    return Rule(
        centre=plan.typed_centre,
        scale=plan.scale,
        integral=plan.integral,
        layout=plan.layout,
        n_index=np.uint32(plan.n_index),
    )


def _index(real: Any, integer: Any) -> Any:
    """Special and index of a value, for the plans that compute in ``real``, whose bits are an ``integer``."""

    @inlined
    def index(value: Any, rule: Rule, cuts: NDArray[Any], cut_table: NDArray[np.int32]) -> tuple[np.uint32, np.uint32]:
        x = real(value)
        layout = rule.layout
        special = NOT_SPECIAL
        if x - x != 0:  # NaN or infinite
            special = MISSING if x != x else _POSITIVE_INFINITY if x > 0 else _NEGATIVE_INFINITY
            x = rule.centre
        t = x - rule.centre
        if rule.integral:
            t = _double_of(real(math.floor(x)), real(math.ceil(x))) - rule.centre
        t = t * rule.scale
        q = _steps_from_centre((abs(t) + layout.one).view(integer) - layout.bits_of_one, layout)
        cell = np.int32(_side(t, np.int32(q), layout.half))
        return special, np.uint32(cell + _cuts_below(x, cell, cuts, cut_table))

    return index


@inlined
def _index_wide(x: Any, rule: Rule, cuts: NDArray[Any], cut_table: NDArray[np.int32]) -> tuple[np.uint32, np.uint32]:
    """64-bit integers: the distance is taken modulo 2**64, exact on the side where it is not negative."""
    layout = rule.layout
    centre = np.uint64(rule.centre)
    t = -np.float64(centre - np.uint64(x)) if x < rule.centre else np.float64(np.uint64(x) - centre)
    t = t * rule.scale
    q = _steps_from_centre((abs(t) + layout.one).view(np.int64) - layout.bits_of_one, layout)
    cell = np.int32(_side(t, np.int32(q), layout.half))
    return NOT_SPECIAL, np.uint32(cell + _cuts_below(x, cell, cuts, cut_table))


@inlined
def _cuts_below(x: Any, cell: np.int32, cuts: NDArray[Any], table: NDArray[np.int32]) -> Any:
    """How many cuts are at most x: those of lower cells by the table, then a search among the cell's own."""
    if cuts.size == 0:
        return np.int32(0)
    low, high = table[cell], table[cell + 1]
    while low < high:
        middle = (low + high) >> 1
        if x >= cuts[middle]:
            low = np.int32(middle + 1)
        else:
            high = np.int32(middle)
    return low


#: Of each plan's dtype.
INDEX = {
    "float32": _index(np.float32, np.int32),
    "float64": _index(np.float64, np.int64),
    "int64": _index_wide,
    "uint64": _index_wide,
}
