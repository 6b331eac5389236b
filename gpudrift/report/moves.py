"""Which bins moved: shares before and after, and what each adds to the PSI."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpudrift.report.view import FeatureView

_SMOOTHING = 0.5


@dataclass(frozen=True)
class Move:
    """One bin or category on the two sides."""

    label: str
    reference: float
    current: float
    reference_share: float
    current_share: float
    psi: float
    """(q - p) ln(q / p) with smoothed shares."""

    @property
    def change(self) -> float:
        """Current share minus reference share."""
        return self.current_share - self.reference_share


def moves(feature: FeatureView) -> list[Move]:
    """Turn bin counts into shares and PSI terms, in the order of the bins.

    Shares are smoothed on the counts, (c + 0.5) / (n + 0.5 k), only for the PSI terms. A side without rows
    has shares of 0, and then every term is 0. Where `bins` is a part of the PSI bins, n is the number of rows
    of the feature that have a value.
    """
    bins = feature["bins"]
    k = feature["psi_bins"] or len(bins)
    n_reference = sum(b["reference"] for b in bins)
    n_current = sum(b["current"] for b in bins)
    if k > len(bins):
        n, missing = feature["n"], feature["missing"]
        n_reference = max(n_reference, (n["reference"] or 0) - (missing["reference"] or 0))
        n_current = max(n_current, (n["current"] or 0) - (missing["current"] or 0))
    return [
        Move(
            label=b["label"],
            reference=b["reference"],
            current=b["current"],
            reference_share=b["reference"] / n_reference if n_reference else 0.0,
            current_share=b["current"] / n_current if n_current else 0.0,
            psi=_term(b["reference"], n_reference, b["current"], n_current, k),
        )
        for b in bins
    ]


def _term(reference: float, n_reference: float, current: float, n_current: float, k: int) -> float:
    if not n_reference or not n_current:
        return 0.0
    p = (reference + _SMOOTHING) / (n_reference + _SMOOTHING * k)
    q = (current + _SMOOTHING) / (n_current + _SMOOTHING * k)
    return (q - p) * math.log(q / p)
