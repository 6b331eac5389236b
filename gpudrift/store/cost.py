"""Cost: what a fit took, and what the next one will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gpudrift.errors import ConfigError, DataError


@dataclass(frozen=True)
class Cost:
    """What a fit took.

    Attributes
    ----------
    wall_s : float
        Seconds on the clock.
    device_s : float
        Seconds of the device: on a GPU those between the first and the last call, on the CPU those of all its threads.
    rows : int
        Labelled rows that were passed, without replayed ones.
    peak_bytes : int
        Most memory at any time: resident in the process, whatever else it held; on a GPU what PyTorch allocated
        there, which is 0 for other libraries.
    """

    wall_s: float
    device_s: float
    rows: int
    peak_bytes: int

    def __add__(self, other: Cost) -> Cost:
        """Both, one after the other."""
        seconds = (self.wall_s + other.wall_s, self.device_s + other.device_s)
        return Cost(*seconds, self.rows + other.rows, max(self.peak_bytes, other.peak_bytes))

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)


def predict_cost(costs: Sequence[Cost], rows: int) -> Cost:
    """What a fit on so many rows will take: a fixed cost and one per row, by least squares, neither negative.

    Parameters
    ----------
    costs : sequence of Cost
        Of past fits of the same kind (``Registry.costs``). One gives a cost in proportion to its rows.
    rows : int

    Raises
    ------
    DataError
        There is no past fit.
    ConfigError
        ``rows`` is no number of rows.

    Examples
    --------
    >>> past = [Cost(1.0, 2.0, 1_000, 10), Cost(3.0, 6.0, 5_000, 30)]
    >>> predict_cost(past, 9_000)
    Cost(wall_s=5.0, device_s=10.0, rows=9000, peak_bytes=50)
    """
    if isinstance(rows, bool) or not isinstance(rows, int | np.integer) or rows < 0:
        raise ConfigError(f"rows must be a number of rows, 0 or more, got {rows!r}")
    if not costs:
        raise DataError("a cost is predicted from past fits, and there is none; fit once and register the model")
    seen = np.array([cost.rows for cost in costs], np.float64)
    wall, device, peak = (
        _line(seen, np.array(values, np.float64), rows)
        for values in zip(*((cost.wall_s, cost.device_s, cost.peak_bytes) for cost in costs), strict=True)
    )
    return Cost(wall, device, rows, round(peak))


def _line(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], at: int) -> float:
    """Least squares with neither intercept nor slope below zero."""
    spread = float(np.square(x - x.mean()).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread else float("inf")
    fixed = float(y.mean()) - slope * float(x.mean())
    if not spread or fixed < 0:
        fixed, slope = 0.0, float((x * y).sum() / np.square(x).sum())
    elif slope < 0:
        fixed, slope = float(y.mean()), 0.0
    return fixed + slope * at
