"""Frouros: KSTest, one column at a time."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from frouros.detectors.data_drift import KSTest

from benchmarks.peers import inputs

VERSION = version("frouros")


def ks(folder: Path) -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """An exact KS; fitted on the reference before the clock starts, which only stores it."""
    reference, current = inputs.sides(folder)
    detectors = {name: KSTest() for name in reference}
    for name, detector in detectors.items():
        detector.fit(X=reference[name])

    def work() -> dict[str, Any]:
        return {name: detector.compare(X=current[name])[0] for name, detector in detectors.items()}

    def described(found: dict[str, Any]) -> dict[str, Any]:
        return {name: [None, None, float(test.statistic), float(test.statistic)] for name, test in found.items()}

    return work, described
