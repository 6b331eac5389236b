"""Run scenarios on all processors and count who alarmed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.error_rates.intervals import interval, most_alarms
from benchmarks.error_rates.kinds import KINDS
from benchmarks.error_rates.outcome import OWN, PEERS
from benchmarks.error_rates.scenarios import Scenario
from benchmarks.error_rates.shifts import shift
from gpudrift.config import Settings
from gpudrift_kernels.cpu.backend import CpuBackend

ALPHA: Final = Settings().alpha
_BATCH: Final = 25


def simulate(
    scenarios: Iterable[Scenario], workers: int, progress: Callable[[Scenario, int], None]
) -> Iterator[dict[str, Any]]:
    """The result of each scenario in turn; ``progress`` hears of every batch of streams."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for scenario in scenarios:
            yield _result(scenario, pool, progress)


def _result(scenario: Scenario, pool: ProcessPoolExecutor, progress: Callable[[Scenario, int], None]) -> dict[str, Any]:
    start = time.perf_counter()
    batches = [range(i, min(i + _BATCH, scenario.streams)) for i in range(0, scenario.streams, _BATCH)]
    total: dict[str, NDArray[np.int64]] = {}
    for batch, found in zip(batches, pool.map(run_streams, [scenario] * len(batches), batches), strict=True):
        for rule, counts in found.items():
            total[rule] = total.get(rule, 0) + counts
        progress(scenario, len(batch))
    return summary(scenario, total) | {"seconds": time.perf_counter() - start}


def run_streams(scenario: Scenario, which: Iterable[int]) -> dict[str, NDArray[np.int64]]:
    """For each rule: reports that alarmed, that named the moved feature, that named another; and features by kind."""
    backend = CpuBackend(1)
    total: dict[str, NDArray[np.int64]] = {}
    moved = None if scenario.null else shift(scenario.shift, scenario.size).feature
    for stream in which:
        for rule, named in scenario.run(stream, backend).items():
            others = named if moved is None else np.delete(named, moved)
            reports = [named.any(), moved is not None and named[moved], others.any()]
            by_kind = [named[k :: len(KINDS)].sum() for k in range(len(KINDS))]
            total[rule] = total.get(rule, 0) + np.array(reports + by_kind, dtype=np.int64)
    return total


def summary(scenario: Scenario, total: dict[str, NDArray[np.int64]]) -> dict[str, Any]:
    """Rates with their intervals; of null streams also whether gpudrift's is at most alpha, within chance."""
    result: dict[str, Any] = {"scenario": scenario.to_dict(), "rules": dict(_rates(scenario, total))}
    if scenario.null:
        most = most_alarms(scenario.streams, ALPHA)
        result["most_alarms_at_alpha"] = most
        result["within_alpha"] = bool(total[OWN[0]][0] <= most)
        columns = scenario.streams * scenario.features / len(KINDS)
        result["share_of_columns"] = {
            what: {kind.name: int(k) / columns for kind, k in zip(KINDS, total[rule][3:], strict=True)}
            for what, rule in (("with p <= alpha, uncorrected", "tests"), ("that gpudrift names", OWN[0]))
        }
    return result


def _rates(scenario: Scenario, total: dict[str, NDArray[np.int64]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for rule in (*OWN, *PEERS):
        streams = scenario.streams if rule in OWN else min(scenario.with_peers, scenario.streams)
        counted = dict(zip(("alarm", "named", "others"), total[rule][:3].tolist(), strict=True))
        if scenario.null:
            counted = {"alarm": counted["alarm"]}
        yield (
            rule,
            {"streams": streams}
            | {
                what: {"count": k, "rate": k / streams, "interval": list(interval(k, streams))}
                for what, k in counted.items()
            },
        )
