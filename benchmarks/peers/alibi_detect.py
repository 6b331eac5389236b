"""Alibi Detect: KSDrift, an exact KS of every feature."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from alibi_detect.cd import KSDrift

from benchmarks.peers import inputs

VERSION = version("alibi-detect")


def ks(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Rows as its matrix wants them; the distances of all features."""
    reference, current = (np.column_stack(list(table.values())) for table in inputs.sides(folder))
    detector = KSDrift(reference)

    def described(found: Any) -> dict[str, Any]:
        # its distances are float32
        return {
            f"x{j}": [None, None, float(d) - 1e-6, float(d) + 1e-6] for j, d in enumerate(found["data"]["distance"])
        }

    return lambda: detector.predict(current), described
