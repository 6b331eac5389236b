from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

from gpudrift_kernels import rules
from gpudrift_kernels.cells import SHAPES


def test_the_rules_hold_no_float_literal() -> None:
    tree = ast.parse(Path(rules.__file__).read_text(encoding="utf-8"))
    assert [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ] == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("bits", "octaves"), SHAPES)
def test_every_number_of_a_layout_has_the_width_of_its_type(dtype: str, bits: int, octaves: int) -> None:
    layout = rules.layout_for(dtype, bits, octaves)
    assert layout.float_type == np.dtype(dtype)
    integers = layout[1:-1]
    assert {type(number) for number in integers} == {layout.int_type}
    assert layout.int_type(0).itemsize == layout.one.itemsize


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("bits", "octaves"), SHAPES)
def test_cells_are_counted_outwards_without_a_gap(dtype: str, bits: int, octaves: int) -> None:
    layout = rules.layout_for(dtype, bits, octaves)
    near = np.arange(layout.near_cells, dtype=np.int64) << int(layout.near_shift)
    n_far = int(layout.half) - int(layout.near_cells)
    far = int(layout.near_limit) + (np.arange(n_far, dtype=np.int64) << int(layout.far_shift))
    starts = np.concatenate([near, far]).tolist()
    assert [rules.steps_from_centre(b, layout) for b in starts] == list(range(int(layout.half)))
    assert [rules.steps_from_centre(b - 1, layout) for b in starts[1:]] == list(range(int(layout.half) - 1))
    infinity = int(layout.float_type(np.inf).view(layout.int_type)) - int(layout.bits_of_one)
    assert rules.steps_from_centre(infinity, layout) == layout.last


def test_the_two_cells_at_the_centre_follow_each_other() -> None:
    assert (rules.side(-1, 0, 100), rules.side(0, 0, 100)) == (99, 100)
    assert (rules.side(-1, 5, 100), rules.side(1, 5, 100)) == (94, 105)
