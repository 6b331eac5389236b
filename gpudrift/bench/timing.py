"""Interleaved timing: A B A B, so that whatever else the machine does hits all alike."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

Run = Callable[[], tuple[float, T]]
"""One measured call: its seconds and its result."""


@dataclass(frozen=True)
class Timing(Generic[T]):
    """Seconds of each measured call of one candidate, and the result of the last.

    Examples
    --------
    >>> Timing((1.0, 3.0, 2.0), None).to_dict()
    {'median_s': 2.0, 'min_s': 1.0, 'max_s': 3.0, 'calls': 3}
    """

    seconds: tuple[float, ...]
    result: T

    @property
    def median_s(self) -> float:
        return statistics.median(self.seconds)

    def to_dict(self) -> dict[str, float]:
        """Median, extremes and number of calls."""
        return {
            "median_s": self.median_s,
            "min_s": min(self.seconds),
            "max_s": max(self.seconds),
            "calls": len(self.seconds),
        }


def clocked(work: Callable[[], T]) -> Run[T]:
    """The same work, measured in this process."""

    def run() -> tuple[float, T]:
        start = time.perf_counter()
        result = work()
        return time.perf_counter() - start, result

    return run


def interleaved(
    candidates: Mapping[str, Run[T]],
    repeats: int,
    *,
    budget_s: float = math.inf,
    watch: Callable[[str], None] = lambda _: None,
) -> dict[str, Timing[T]]:
    """Time every candidate: one warm-up of each, then all of them in turn.

    Parameters
    ----------
    candidates : mapping of name to measured call
    repeats : int
        Measured calls of each, >= 1.
    budget_s : float
        Seconds for the measured calls of one candidate. A slow one gets fewer; one whose warm-up alone takes longer is
        not called again, and that call is its measurement.
    watch : callable
        Called with the name of each candidate after each of its calls.

    Examples
    --------
    >>> found = interleaved({"sum": clocked(lambda: sum(range(10)))}, 3)
    >>> found["sum"].result, len(found["sum"].seconds)
    (45, 3)
    """
    seconds: dict[str, list[float]] = {}
    results: dict[str, T] = {}
    wanted: dict[str, int] = {}
    for name, run in candidates.items():
        elapsed, results[name] = run()
        watch(name)
        slow = elapsed > budget_s
        seconds[name] = [elapsed] if slow else []
        wanted[name] = 0 if slow else max(1, min(repeats, int(budget_s / elapsed) if budget_s < math.inf else repeats))
    for repeat in range(repeats):
        for name, run in candidates.items():
            if repeat < wanted[name]:
                elapsed, results[name] = run()
                watch(name)
                seconds[name].append(elapsed)
    return {name: Timing(tuple(seconds[name]), results[name]) for name in candidates}
