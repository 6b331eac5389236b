"""SciPy: the two-sample Kolmogorov-Smirnov test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import scipy
from scipy.stats import ks_2samp

from benchmarks.peers import inputs

VERSION = scipy.__version__


def ks(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """The statistic and its asymptotic p-value: what ``method="auto"`` takes for this many rows, chosen at once."""
    reference, current = inputs.sides(folder)

    def work() -> dict[str, Any]:
        return {name: ks_2samp(reference[name], current[name], method="asymp") for name in reference}

    def described(found: dict[str, Any]) -> dict[str, Any]:
        return {name: [None, None, float(test.statistic), float(test.statistic)] for name, test in found.items()}

    return work, described
