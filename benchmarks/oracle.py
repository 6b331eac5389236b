"""What each contender must find, by its own convention, written down independently of it.

gpudrift is held to the kernels' definition in plain NumPy, a peer to the published definition of its bins, and every KS
to the exact one. The first four columns are looked at: one of each shape.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Contender
from benchmarks.peers import inputs
from gpudrift.bench.agreement import by_definition, disagreement
from gpudrift.bench.numpy_drift import Drift, fast, psi_js
from gpudrift.bench.tables import N_SHAPES

TOLERANCES: Final = {"cells": 1e-9, "deciles": 1e-9, "near deciles": 0.02, "sturges": 1e-9, "doane": 1e-9}


def check_drift(contender: Contender, found: Any, folder: Path) -> str | None:
    """What is wrong with PSI, JS and KS of a table; None where all is right."""
    drifts = {name: Drift(*statistics) for name, statistics in found.items()}
    return disagreement(drifts, expected(folder, contender.convention), TOLERANCES[contender.convention])


@cache
def expected(folder: Path, convention: str) -> dict[str, Drift]:
    """PSI, JS and the exact KS of the first columns by a convention."""
    tables = inputs.sides(folder)
    reference, current = ({name: table[name] for name in list(table)[:N_SHAPES]} for table in tables)
    if convention == "cells":
        return by_definition(reference, current)
    exact = {name: fast(reference[name], current[name], exact=True) for name in reference}
    if convention in ("deciles", "near deciles"):
        return exact
    found = {"sturges": sturges, "doane": doane}[convention]
    return {
        name: drift._replace(**dict(zip(("psi", "js_distance"), found(reference[name], current[name]), strict=True)))
        for name, drift in exact.items()
    }


def sturges(reference: NDArray[Any], current: NDArray[Any]) -> tuple[float, float]:
    """PSI and JS (base e) as evidently 0.7 has them: equal bins over both sides, zero shares lifted for PSI."""
    edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
    p, q = (np.histogram(side, edges)[0] for side in (reference, current))
    js = psi_js(p, q)[1] * np.sqrt(np.log(2))  # sqrt of nats from sqrt of bits
    lifted = []
    for shares in (p / p.sum(), q / q.sum()):
        least = shares[shares > 0].min()
        lifted.append(np.where(shares == 0, least / 1e6 if least <= 1e-4 else 1e-4, shares))
    f, g = lifted
    return float(np.sum((f - g) * np.log(f / g))), float(js)


def doane(reference: NDArray[Any], current: NDArray[Any]) -> tuple[None, float]:
    """JS (base 2) as NannyML 0.13 has it: equal bins of the reference alone, and one for what lies outside."""
    edges = np.histogram_bin_edges(reference.astype(np.float64), bins="doane")
    p, q = (np.histogram(side, edges)[0] for side in (reference, current))
    p, q = np.append(p, 0), np.append(q, current.size - q.sum())
    return None, psi_js(p, q)[1]
