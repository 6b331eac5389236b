"""The rule of a cell in histogram.cu, compiled for the host, gives the bits of rules.py."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import cut_table

from .host_rule import host_rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytestmark = pytest.mark.gcc


_ALL = 1 << 20  # counters: more than any plan has


def _indices(values: NDArray[Any], plan: CellPlan, most_counters: int = _ALL) -> NDArray[np.int64]:
    """Index of each value by the .cu, in the stored dtype of ``values``."""
    from gpudrift_kernels.cuda.raw_histogram import COMPARED_CUTS, column_of

    column = column_of(plan, most_counters)
    if plan.cuts.size > COMPARED_CUTS or (plan.cuts.size and plan.wide):
        table = cut_table(plan)
        column["cut_table"] = table[int(column["first_cell"][0]) :].ctypes.data
    column["cuts"], column["values"], column["n"] = plan.cuts.ctypes.data, values.ctypes.data, values.size
    out = np.empty(values.size, np.uint32)
    rule = host_rule(values.dtype.name, plan.dtype)
    rule.indices(ctypes.c_void_p(column.ctypes.data), ctypes.c_void_p(out.ctypes.data))
    return out.astype(np.int64)


def test_the_record_of_a_column_is_as_long_in_both_languages() -> None:
    from gpudrift_kernels.cuda.staging import COLUMN

    assert host_rule("float32", "float32").column_bytes() == COLUMN.itemsize


def test_hostile_values_get_the_index_of_the_reference(plan: CellPlan, hostile: NDArray[Any]) -> None:
    values = np.ascontiguousarray(hostile)
    for n_cuts in {0, min(plan.cuts.size, 1), min(plan.cuts.size, 8), plan.cuts.size}:
        some = replace(plan, cuts=plan.cuts[:n_cuts])
        expected = reference.index_of(values, some)
        for most_counters in (_ALL, n_cuts + 2_000, n_cuts + 5):  # down to a window of one cell
            np.testing.assert_array_equal(_indices(values, some, most_counters), expected)


@pytest.mark.parametrize("stored", ["float16", "int64"])
def test_values_stored_otherwise_are_widened_first(stored: str, plan: CellPlan) -> None:
    if plan.dtype != {"float16": "float32", "int64": "float64"}[stored]:
        return
    bits = np.arange(1 << 16, dtype=np.uint16)
    values = bits.view(np.float16) if stored == "float16" else (bits.astype(np.int64) - 30_000) << (bits % 48)
    with np.errstate(invalid="ignore"):
        expected = reference.index_of(values.astype(plan.dtype), plan)
    np.testing.assert_array_equal(_indices(values, plan), expected)


def test_every_class_of_bit_pattern_gets_the_index_of_the_reference(plan: CellPlan) -> None:
    """Each sign and exponent of the dtype with mantissas of all zeros, all ones, one bit, and random ones."""
    if plan.wide:
        return
    width, mantissa = (np.uint32, 23) if plan.dtype == "float32" else (np.uint64, 52)
    tops = np.arange(1 << (8 * np.dtype(width).itemsize - mantissa), dtype=width) << width(mantissa)
    rng = np.random.default_rng(1)
    lower = np.concatenate(
        [[0, (1 << mantissa) - 1], 1 << np.arange(mantissa), rng.integers(0, 1 << mantissa, 8)]
    ).astype(width)
    values = (tops[:, None] | lower).ravel().view(plan.dtype)
    np.testing.assert_array_equal(_indices(values, plan), reference.index_of(values, plan))


def _counts(values: NDArray[Any], plan: CellPlan, most_counters: int, blocks: int) -> NDArray[np.int64]:
    """Counts by the whole of the .cu: its wide loads, its shared table, its second look at what is outside."""
    from gpudrift_kernels.cuda.raw_histogram import COMPARED_CUTS, column_of

    column = column_of(plan, most_counters)
    if plan.cuts.size > COMPARED_CUTS or (plan.cuts.size and plan.wide):
        table = cut_table(plan)
        column["cut_table"] = table[int(column["first_cell"][0]) :].ctypes.data
    counts = np.zeros(plan.n_counters, np.uint64)
    column["cuts"], column["values"], column["n"] = plan.cuts.ctypes.data, values.ctypes.data, values.size
    column["counts"] = counts.ctypes.data
    rule = host_rule(values.dtype.name, plan.dtype)
    rule.histogram(ctypes.c_void_p(column.ctypes.data), ctypes.c_uint(blocks), ctypes.c_uint(1))
    return counts.astype(np.int64)


def test_every_row_is_counted_once_wherever_a_column_begins_and_ends(plan: CellPlan, hostile: NDArray[Any]) -> None:
    whole = np.ascontiguousarray(hostile)
    for n_cuts in {0, min(plan.cuts.size, 8), plan.cuts.size}:
        some = replace(plan, cuts=plan.cuts[:n_cuts])
        for first, last, blocks in ((0, whole.size, 1), (1, whole.size - 3, 3), (3, 20_000, 2), (5, 9, 2), (2, 2, 1)):
            values = whole[first:last]
            for most_counters in (_ALL, n_cuts + 2_000):
                found = _counts(values, some, most_counters, blocks)
                np.testing.assert_array_equal(found, reference.histogram(values, some))


@pytest.mark.parametrize(
    ("stored", "plan_dtype"),
    [("float16", "float32"), ("float16", "float64"), ("uint16", "float32"), ("uint8", "float64"), ("int16", "float64"),
     ("int32", "float64"), ("uint16", "int64")],
)  # fmt: skip
def test_narrow_rows_are_counted_once_too(stored: str, plan_dtype: str) -> None:
    bits = np.random.default_rng(6).integers(0, 256, 2 * 90_001, np.uint8)
    values = bits.view(np.float16) if stored == "float16" else bits.astype(stored)
    plan = CellPlan(plan_dtype, 3, 2, 10, 5, cuts=np.arange(-3, 50, 7))
    with np.errstate(invalid="ignore"):
        expected = reference.histogram(values[1:].astype(plan.dtype), plan)
    for blocks in (1, 4):
        np.testing.assert_array_equal(_counts(values[1:], plan, _ALL, blocks), expected)
