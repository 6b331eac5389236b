"""The usual scale of the PSI, by which numbers and cells are coloured."""

from __future__ import annotations

import math


def severity(psi: float | None) -> int | None:
    """Place a PSI on the usual scale: 0 below 0.1, 1 from 0.1 to 0.25, 2 above.

    Examples
    --------
    >>> severity(0.05), severity(0.1), severity(0.3), severity(None)
    (0, 1, 2, None)
    """
    if psi is None or math.isnan(psi):
        return None
    return (psi >= 0.1) + (psi > 0.25)
