"""PyTorch on the CPU: bucketize and bincount, all processors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.peers import inputs
from gpudrift.bench import numpy_drift, processors

VERSION = torch.__version__
_SAMPLE = 65_536
_POINTS = 4_096
Contender = tuple[Callable[[], Any], Callable[[Any], Any]]


def drift(folder: Path) -> Contender:
    """PSI, JS and a KS interval from counts between quantiles of a sample of the reference.

    Twice as many quantiles as a certain 1/1024 needs, since they are those of a sample; sorting every row instead, as
    NumPy does best, takes PyTorch four times as long.
    """
    torch.set_num_threads(processors())
    tables = [{name: torch.from_numpy(x) for name, x in table.items()} for table in inputs.sides(folder)]

    def work() -> dict[str, numpy_drift.Drift]:
        return {name: _column(*(table[name] for table in tables)) for name in tables[0]}

    return work, lambda found: found


def _column(reference: torch.Tensor, current: torch.Tensor) -> numpy_drift.Drift:
    """An atom lies between two cells of its own: counts are split below and at each quantile."""
    sample = reference[:: max(reference.numel() // _SAMPLE, 1)].sort().values
    quantiles = sample[torch.arange(1, _POINTS) * sample.numel() // _POINTS].unique()
    edges = torch.stack([torch.nextafter(quantiles, quantiles.new_tensor(-torch.inf)), quantiles], 1).flatten().unique()
    counts = [
        torch.bincount(torch.bucketize(side, edges), minlength=edges.numel() + 1).numpy()
        for side in (reference, current)
    ]
    f, g = (np.concatenate([[0], np.cumsum(side)]) / side.sum() for side in counts)
    lower = np.abs(f - g).max()
    single = np.concatenate([[False], np.diff(edges.numpy()) <= np.spacing(edges.numpy()[1:]), [False]])
    inside = np.where(single, 0, np.maximum(f[1:] - g[:-1], g[1:] - f[:-1]))
    starts = np.unique(np.searchsorted(f[1:], np.arange(1, 10) / 10)) + 1
    p, q = (np.add.reduceat(side, np.concatenate([[0], starts])) for side in counts)
    return numpy_drift.Drift(*numpy_drift.psi_js(p, q), float(lower), float(max(lower, inside.max())))


def count(folder: Path, *, bins: int) -> Contender:
    """Each column of a batch over edges that are there."""
    torch.set_num_threads(processors())
    reference, batch = inputs.sides(folder)
    probabilities = np.arange(1, bins) / bins
    edges = {
        name: torch.from_numpy(np.unique(np.quantile(x, probabilities).astype(x.dtype)))
        for name, x in reference.items()
    }
    tensors = {name: torch.from_numpy(x) for name, x in batch.items()}

    def work() -> dict[str, Any]:
        return {
            name: torch.bincount(torch.bucketize(x, edges[name]), minlength=edges[name].numel() + 1)
            for name, x in tensors.items()
        }

    def problem(counts: dict[str, Any]) -> str | None:
        for name, found in counts.items():
            expected = np.bincount(np.searchsorted(edges[name].numpy(), batch[name]), minlength=found.numel())
            if found.tolist() != expected.tolist():
                return f"{name} is counted otherwise than by NumPy"
        return None

    return work, problem
