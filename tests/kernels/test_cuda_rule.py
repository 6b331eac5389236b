"""The rule of a cell in histogram.cu, compiled for the host, gives the bits of rules.py."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.cpu.histogram import cut_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gpudrift_kernels.cells import CellPlan

pytestmark = pytest.mark.gcc

_NAMES = {"float16": "Half", "float32": "float", "float64": "double", "int64": "Int64", "uint64": "UInt64"}
_HARNESS = """
#include "histogram.cu"

template <typename Plan, int CUTS, bool INTEGRAL>
static unsigned int index_of(Plan x, const Column& column) {
    typedef typename Work<Plan>::type Real;
    Plan centre;
    Real scale;
    read(column.centre, centre);
    read(column.scale, scale);
    const Real t = distance<INTEGRAL>(x, centre) * scale;
    const int bits = bits_of(t, column), special = special_of(x);
    if (bits >= column.infinity && special >= 0) return column.n_index + static_cast<unsigned int>(special);
    const int steps = steps_of(t, bits, column);
    const Plan* cuts = static_cast<const Plan*>(column.cuts);
    return static_cast<unsigned int>(column.half + steps + cuts_below<CUTS>(x, steps, cuts, column));
}

template <typename Plan> static unsigned int any_index_of(Plan x, const Column& column) {
    if constexpr (REAL<Plan>) {
        if (column.cut_table && column.integral) return index_of<Plan, SEARCHED, true>(x, column);
        if (column.n_cuts && column.integral) return index_of<Plan, COMPARED, true>(x, column);
        if (column.integral) return index_of<Plan, 0, true>(x, column);
        if (column.n_cuts && !column.cut_table) return index_of<Plan, COMPARED, false>(x, column);
    }
    return column.cut_table ? index_of<Plan, SEARCHED, false>(x, column) : index_of<Plan, 0, false>(x, column);
}

#define INDICES(Stored, Plan)                                                                   \\
    extern "C" void Stored##_as_##Plan(const Column* column, unsigned int* out) {              \\
        const Stored* values = static_cast<const Stored*>(column->values);                     \\
        for (unsigned int i = 0; i < column->n; i++) {                                         \\
            Plan x;                                                                            \\
            convert(values[i], x);                                                             \\
            out[i] = any_index_of(x, *column);                                                 \\
        }                                                                                      \\
    }
INDICES(float, float)
INDICES(Half, float)
INDICES(double, double)
INDICES(Int64, Int64)
INDICES(UInt64, UInt64)
INDICES(Int64, double)
extern "C" unsigned long column_bytes() { return sizeof(Column); }
"""


@pytest.fixture(scope="session")
def host_rule(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    pytest.importorskip("numba.cuda")
    from gpudrift_kernels.cuda.raw_histogram import SOURCE

    folder: Path = tmp_path_factory.mktemp("rule")
    (folder / "rule.cpp").write_text(_HARNESS)
    command = ["gcc", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas", "-ffp-contract=off"]
    subprocess.run(
        [*command, "-shared", "-fPIC", f"-I{SOURCE.parent}", "-x", "c++", "rule.cpp", "-o", "rule.so"],
        cwd=folder, check=True,
    )  # fmt: skip
    return ctypes.CDLL(str(folder / "rule.so"))


def _indices(library: ctypes.CDLL, values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    """Index of each value by the .cu, in the stored dtype of ``values``."""
    from gpudrift_kernels.cuda.raw_histogram import COMPARED_CUTS, column_of

    column = column_of(plan, (0, plan.n_index))
    cuts, table = plan.cuts, np.empty(0, np.int32)
    if cuts.size > COMPARED_CUTS or (cuts.size and plan.wide):
        table = cut_table(plan)
        column["cut_table"] = table.ctypes.data
    elif cuts.size:
        cuts = np.append(cuts, np.full(COMPARED_CUTS - cuts.size, np.nan, cuts.dtype))
    column["cuts"], column["values"], column["n"] = cuts.ctypes.data, values.ctypes.data, values.size
    out = np.empty(values.size, np.uint32)
    function = getattr(library, f"{_NAMES[values.dtype.name]}_as_{_NAMES[plan.dtype]}")
    function(ctypes.c_void_p(column.ctypes.data), ctypes.c_void_p(out.ctypes.data))
    return out.astype(np.int64)


def test_the_record_of_a_column_is_as_long_in_both_languages(host_rule: ctypes.CDLL) -> None:
    from gpudrift_kernels.cuda.staging import COLUMN

    assert host_rule.column_bytes() == COLUMN.itemsize


def test_hostile_values_get_the_index_of_the_reference(
    host_rule: ctypes.CDLL, plan: CellPlan, hostile: NDArray[Any]
) -> None:
    values = np.ascontiguousarray(hostile)
    for n_cuts in {0, min(plan.cuts.size, 1), min(plan.cuts.size, 8), plan.cuts.size}:
        some = replace(plan, cuts=plan.cuts[:n_cuts])
        np.testing.assert_array_equal(_indices(host_rule, values, some), reference.index_of(values, some))


@pytest.mark.parametrize("stored", ["float16", "int64"])
def test_values_stored_otherwise_are_widened_first(host_rule: ctypes.CDLL, stored: str, plan: CellPlan) -> None:
    if plan.dtype != {"float16": "float32", "int64": "float64"}[stored]:
        return
    bits = np.arange(1 << 16, dtype=np.uint16)
    values = bits.view(np.float16) if stored == "float16" else (bits.astype(np.int64) - 30_000) << (bits % 48)
    with np.errstate(invalid="ignore"):
        expected = reference.index_of(values.astype(plan.dtype), plan)
    np.testing.assert_array_equal(_indices(host_rule, values, plan), expected)


def test_every_class_of_bit_pattern_gets_the_index_of_the_reference(host_rule: ctypes.CDLL, plan: CellPlan) -> None:
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
    np.testing.assert_array_equal(_indices(host_rule, values, plan), reference.index_of(values, plan))
