"""Which bins moved."""

from __future__ import annotations

import math

import pytest

from gpudrift.report.moves import moves


def test_the_terms_of_all_bins_add_to_the_psi(feature):
    view = feature(bins=[{"label": "a", "reference": 100, "current": 150},
                         {"label": "b", "reference": 100, "current": 100},
                         {"label": "c", "reference": 100, "current": 50}], psi_bins=3)  # fmt: skip
    p = [(100 + 0.5) / (300 + 1.5)] * 3
    q = [(c + 0.5) / (300 + 1.5) for c in (150, 100, 50)]
    psi = sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))
    assert sum(move.psi for move in moves(view)) == pytest.approx(psi, rel=1e-12)


def test_shares_of_a_part_of_the_categories_are_of_all_rows_with_a_value(categories):
    view = categories(
        bins=[{"label": "a", "reference": 10, "current": 30}],
        psi_bins=99,
        n={"reference": 120, "current": 120},
        missing={"reference": 20, "current": 20},
    )
    (move,) = moves(view)
    assert (move.reference_share, move.current_share) == (0.1, 0.3)


def test_a_side_without_rows_has_no_shares_and_no_terms(feature):
    (move,) = moves(feature(bins=[{"label": "all", "reference": 0, "current": 5}], psi_bins=1))
    assert (move.reference_share, move.current_share, move.psi) == (0.0, 1.0, 0.0)
