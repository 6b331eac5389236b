"""How near to the bandwidth of a GPU does counting come, and how far ahead of what one would use otherwise?

    python -m benchmarks.gpu [--rows N] [--repeats N] [--out FILE]

Needs numba, numba-cuda and cupy, and compares with torch where it is there. Bandwidth is that of reading the values
once, as a share of what a copy on the same device moves (read plus write) in the same run. Every count is compared with
that of the CPU before it is timed, and a candidate that disagrees, or fails, gets a line that says so and no ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import metadata as packages
from pathlib import Path
from typing import Any

from benchmarks.gpu_needs import lacking

#: Without them nothing is measured.
NEEDED = ("numpy", "numba", "numba_cuda", "cupy")

try:
    import numpy as np
    from numpy.typing import NDArray

    from gpudrift.bench import Timing, clocked, interleaved, machine
    from gpudrift_kernels.backend import Backend, get_backend
    from gpudrift_kernels.boundaries import extents
    from gpudrift_kernels.cells import SHAPES, CellPlan
    from gpudrift_kernels.cuda.driver import Device, driver
    from gpudrift_kernels.cuda.failures import raised
    from gpudrift_kernels.errors import GpudriftError
    from gpudrift_kernels.grouping import Grouping
    from gpudrift_kernels.occupied import aligned, dense
except ImportError as error:
    sys.exit(f"nothing is measured: {lacking(*NEEDED) or error}")

#: What cupy, numba and torch raise where they run out of memory or do not know a dtype.
FAILURES = (RuntimeError, MemoryError, TypeError, ValueError, ImportError)
RESULTS = Path(__file__).parent / "results"
QUEUED = 8  # calls between two readings of the clock: the device never waits for Python
DATA = ("uniform", "normal", "heavy-tailed", "constant", "zero-inflated", "missing")
PLANS = {"float16": "float32", "float32": "float32", "float64": "float64", "int32": "float64", "int64": "int64"}


class Column:
    """Rows wherever they are."""

    in_place = False

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self.n_rows = rows.shape[0]

    def values(self, start: int, stop: int) -> tuple[Any, int]:
        return self.rows[start:stop], 0

    def aligned(self, start: int, stop: int) -> tuple[Any, None]:
        return self.rows[start:stop], None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=at_least(1_000), default=100_000_000)
    parser.add_argument("--repeats", type=at_least(1), default=20)
    parser.add_argument("--out", type=Path, help="benchmarks/results/<gpu>-<date>.json by default")
    arguments = parser.parse_args()
    folder = arguments.out.parent if arguments.out else RESULTS
    if (arguments.out and arguments.out.is_dir()) or not os.access(folder, os.W_OK):
        sys.exit(f"--out {arguments.out or RESULTS} cannot be written: name a file in a folder that can")
    if problem := lacking(*NEEDED):
        sys.exit(f"nothing is measured: {problem}")
    try:
        backend = get_backend("cuda")
        import cupy
    except (ImportError, GpudriftError) as error:
        sys.exit(f"nothing is measured: {first_line(error)}")
    device: Device = backend.device  # type: ignore[attr-defined]
    result = (
        {"question": "gpu", "rows": arguments.rows, "repeats": arguments.repeats}
        | machine(RESULTS.parent)
        | described(device)  # whose versions are the ones that count
    )
    copy = attempt(lambda: copy_bandwidth(cupy, arguments.repeats))
    if isinstance(copy, dict):
        sys.exit("nothing is measured: a copy of 1 GiB is what the rest is compared with")
    result |= {"copy_GB_per_s": copy}
    print(f"{device.name}: a copy moves {copy:,.0f} GB/s, read plus write")
    result["histogram"] = list(histograms(backend, arguments.rows, arguments.repeats, copy))
    result["baselines"] = list(baselines(backend, arguments.rows, arguments.repeats))
    result["tally"] = list(tallies(backend, arguments.rows, arguments.repeats))
    result["host"] = attempt(lambda: from_the_host(backend, arguments.rows, arguments.repeats))
    result["report"] = attempt(lambda: whole_report(arguments.repeats))
    name = re.sub(r"[^a-z0-9]+", "-", device.name.lower()).strip("-")
    out = arguments.out or RESULTS / f"{name}-{result['date'][:10]}.json"
    out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"wrote {out}")


def described(device: Device) -> dict[str, Any]:
    """The GPU, its driver and the libraries that were measured."""
    versions = {name: version(name) for name in ("numba", "numba-cuda", "cupy-cuda13x", "torch", "nvidia-nvvm")}
    return {
        "gpu": device.name,
        "capability": device.capability,
        "multiprocessors": device.multiprocessors,
        "driver_cuda": driver().version,
        "versions": versions,
    }


def version(package: str) -> str | None:
    try:
        return packages.version(package)
    except packages.PackageNotFoundError:
        return None


def attempt(measure: Callable[[], Any]) -> Any:
    """What was measured, or why it was not: one failure must not cost the rest of the run."""
    try:
        return measure()
    except (*FAILURES, *raised()) as error:
        reason = first_line(error)
        print(f"  failed: {type(error).__name__}: {reason}")
        return {"error": f"{type(error).__name__}: {reason}"}


def first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "")


def at_least(least: int) -> Callable[[str], int]:
    """A whole number of the command line."""

    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"must be >= {least:,}, got {text}")
        return int(text)

    return number


def device_seconds(work: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Seconds of one call on the current stream of the device, by its own clock."""
    import cupy

    work()
    seconds = []
    for _ in range(repeats):
        start, stop = cupy.cuda.Event(), cupy.cuda.Event()
        start.record()
        for _ in range(QUEUED):
            work()
        stop.record()
        stop.synchronize()
        seconds.append(cupy.cuda.get_elapsed_time(start, stop) / 1e3 / QUEUED)
    return Timing(tuple(seconds), None).to_dict()


def wall_seconds(work: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Seconds until the result is on the host."""
    return interleaved({"": clocked(work)}, repeats)[""].to_dict()


def copy_bandwidth(cupy: Any, repeats: int) -> float:
    """GB/s that a copy on the device reads and writes."""
    source = cupy.zeros(1 << 28, cupy.float32)
    target = cupy.empty_like(source)
    return 2 * source.nbytes / device_seconds(lambda: cupy.copyto(target, source), repeats)["median_s"] / 1e9


def made(kind: str, dtype: str, n: int) -> Any:
    """Values of a kind, on the device."""
    import cupy

    values = cupy.asarray(drawn(n, uniform=kind == "uniform"))
    if kind == "heavy-tailed":
        values = cupy.exp(values * 2)
    elif kind == "constant":
        values[:] = 1.5
    elif kind == "zero-inflated":
        values[::2] = 0
    elif kind == "missing" and dtype[0] == "f":
        values[::10] = cupy.nan
    return values.astype(dtype) if dtype[0] == "f" else (values * 1000).astype(dtype)


@lru_cache(maxsize=2)
def drawn(n: int, *, uniform: bool) -> NDArray[np.float32]:
    """Random values, on the host: CuPy draws with cuRAND, which none of the packages above brings."""
    rng = np.random.default_rng(0)
    return rng.random(n, dtype=np.float32) * 4 - 2 if uniform else rng.standard_normal(n, dtype=np.float32)


def plan_for(dtype: str, shape: tuple[int, int], n_cuts: int = 0) -> CellPlan:
    """Integers were made a thousand times as large."""
    exponent = 0 if dtype[0] == "f" else 10
    cuts = np.linspace(-1, 1, n_cuts) * 2.0**exponent
    return CellPlan(PLANS[dtype], 0, exponent, *shape, cuts=cuts)


def histograms(backend: Backend, rows: int, repeats: int, copy: float) -> Iterator[dict[str, Any]]:
    """Share of the copy's bandwidth for each dtype, shape of cells, number of cuts and kind of data."""
    for dtype in PLANS:
        for shape, n_cuts in [*((shape, 0) for shape in SHAPES), (SHAPES[0], 8), (SHAPES[0], 64)]:
            for kind in DATA if shape == SHAPES[0] and not n_cuts else ("normal",):
                plan = plan_for(dtype, shape, n_cuts)
                label = {"dtype": dtype, "cells": plan.n_cells, "cuts": n_cuts, "data": kind}
                found = attempt(lambda: one_histogram(backend, made(kind, dtype, rows), plan, repeats, copy))  # noqa: B023
                print(f"  {dtype:8} {plan.n_cells:6} cells {n_cuts:3} cuts  {kind:14}", shown(found))
                yield label | found


def shown(found: dict[str, Any]) -> str:
    return f"{found['GB_per_s']:8,.0f} GB/s  {found['share_of_copy']:6.1%}" if "GB_per_s" in found else "-"


def one_histogram(backend: Backend, values: Any, plan: CellPlan, repeats: int, copy: float) -> dict[str, Any]:
    """The launch alone, and the whole call with its plan, tables and transfers."""
    agree(backend, values, plan)
    device = device_seconds(launch_of(backend, values, plan), repeats)
    wall = wall_seconds(lambda: list(backend.count_cells([Column(values)], [plan])), repeats)
    bandwidth = values.nbytes / device["median_s"] / 1e9
    return {"device": device, "wall": wall, "GB_per_s": bandwidth, "share_of_copy": bandwidth / copy}


def launch_of(backend: Backend, values: Any, plan: CellPlan) -> Callable[[], None]:
    """The kernel on values that are there, as often as it is called."""
    from numba import cuda

    from gpudrift_kernels.cuda.plan_tables import PlanTables
    from gpudrift_kernels.cuda.raw_histogram import RawHistogram
    from gpudrift_kernels.cuda.staging import COLUMN, Piece, Records

    stream = cuda.default_stream()
    tables = PlanTables([plan], RawHistogram.compared_cuts, stream)
    histogram = RawHistogram(backend.device, tables)  # type: ignore[attr-defined]
    records = Records(COLUMN, 1)
    (launch,) = histogram.launches([Piece(0, values)], records, stream)

    def again(_: Any = (tables, records, values)) -> None:  # the launch knows no more of these than their addresses
        launch()

    return again


def agree(backend: Backend, values: Any, plan: CellPlan) -> NDArray[np.int64]:
    """Refuse to time a count that is not the CPU's; on the first ten million rows."""
    part = values[:10_000_000]
    (found,) = backend.count_cells([Column(part)], [plan])
    (expected,) = get_backend("cpu").count_cells([Column(part.get())], [plan])
    if not all(map(np.array_equal, found, expected)):
        _, *sides = aligned(found, expected)
        raise ValueError(f"{int(np.abs(np.subtract(*sides)).sum()):,} rows are counted otherwise than on the CPU")
    return dense(expected, plan.n_counters)


def baselines(backend: Backend, rows: int, repeats: int) -> Iterator[dict[str, Any]]:
    """The same counts with other libraries, where they give the same: by searching the first value of each index."""
    for dtype in ("float32", "float64"):
        plan = plan_for(dtype, SHAPES[0])

        def ours_on(plan: CellPlan = plan, dtype: str = dtype) -> tuple[Any, NDArray[np.int64], float]:
            values = made("normal", dtype, rows)
            expected = agree(backend, values, plan)[: plan.n_index]
            return values, expected, device_seconds(launch_of(backend, values, plan), repeats)["median_s"]

        prepared = attempt(ours_on)
        if isinstance(prepared, dict):
            yield {"dtype": dtype} | prepared
            continue
        values, expected, ours = prepared
        edges, _ = extents(np.arange(plan.n_index), plan)
        for name, count in candidates(edges, values):
            found = attempt(lambda: one_baseline(count, expected, ours, repeats))  # noqa: B023
            ratio = f"{found['times_as_long']:6.1f} times as long" if "times_as_long" in found else "no ratio"
            print(f"  {dtype:8} {name:30} {ratio}")
            yield {"dtype": dtype, "baseline": name, "ours_s": ours} | found


Count = Callable[[Any], Any]


def candidates(edges: NDArray[Any], values: Any) -> Iterator[tuple[str, tuple[Count, Any, bool]]]:
    """Name, (count of values as integers, the values it takes, whether its bins are those of the plan)."""
    import cupy

    lower = cupy.asarray(edges)
    bounds = cupy.append(lower, cupy.asarray([np.finfo(edges.dtype).max], edges.dtype))
    n = edges.size
    yield "cupy.histogram", (lambda x: cupy.histogram(x, bounds)[0], values, True)
    yield (
        "cupy.searchsorted + bincount",
        (lambda x: cupy.bincount(cupy.searchsorted(lower, x, side="right") - 1, minlength=n), values, True),
    )
    try:
        import torch
    except ImportError as error:
        print(f"  no comparison with torch: {first_line(error)}")
        return
    tensor, boundaries = torch.from_dlpack(values), torch.from_dlpack(lower)
    yield (
        "torch.bucketize + bincount",
        (lambda x: torch.bincount(torch.bucketize(x, boundaries, right=True) - 1, minlength=n), tensor, True),
    )
    yield "torch.histc, equal bins", (lambda x: torch.histc(x, bins=n, min=-8, max=8), tensor, False)


def one_baseline(
    candidate: tuple[Count, Any, bool], expected: NDArray[np.int64], ours: float, repeats: int
) -> dict[str, Any]:
    count, values, same_bins = candidate
    if same_bins:
        counted = count(values[:10_000_000])
        counted = counted.get() if hasattr(counted, "get") else counted.cpu().numpy()
        if not np.array_equal(counted.astype(np.int64)[: expected.size], expected):
            raise ValueError("counts otherwise than gpudrift, so its time means nothing")
    import cupy

    def work() -> None:
        count(values)
        cupy.cuda.Device().synchronize()  # torch has a stream of its own

    seconds = wall_seconds(work, min(repeats, 5))
    note = {} if same_bins else {"note": "its bins are equally wide: less work"}
    return {"seconds": seconds, "times_as_long": seconds["median_s"] / ours} | note


def tallies(backend: Backend, rows: int, repeats: int) -> Iterator[dict[str, Any]]:
    """Rows by group and cell, from either side: groups in order of time, in no order, or one; weighted or not."""
    rng = np.random.default_rng(0)
    n_groups = 52
    orders = {
        "in order": np.arange(rows) * n_groups // rows,
        "in no order": rng.integers(0, n_groups, rows),
        "one group": np.zeros(rows, np.int32),
    }
    weights = rng.integers(0, 1 << 30, rows)
    for kind in ("normal", "constant"):  # all rows of a group in one counter
        plan = plan_for("float32", SHAPES[0])
        grid = (np.arange(plan.n_counters) // 50).astype(np.int32)
        resident = attempt(lambda: made(kind, "float32", rows))  # noqa: B023
        for order, groups in orders.items():
            for weighted in (False, True):
                grouping = Grouping(groups.astype(np.int32), int(groups.max()) + 1, weights if weighted else None)
                for place in ("device", "host"):
                    label = {"data": kind, "groups": order, "weighted": weighted, "place": place}

                    def measure(place: str = place, resident: Any = resident, grouping: Grouping = grouping) -> Any:
                        values = resident if place == "device" else resident.get()
                        return one_tally(backend, values, plan, grid, grouping, min(repeats, 5))  # noqa: B023

                    found = attempt(measure)
                    speed = f"{found['rows_per_s'] / 1e9:6.2f}" if "rows_per_s" in found else "     -"
                    print(f"  tally {kind:9} {order:12} {'weighted' if weighted else '':9} {place:7} {speed} G rows/s")
                    yield label | found


def one_tally(
    backend: Backend, values: Any, plan: CellPlan, grid: NDArray[np.int32], grouping: Grouping, repeats: int
) -> dict[str, Any]:
    """The whole call; what is not the CPU's is not timed."""
    (found,) = backend.tally_cells([Column(values)], [plan], [grid], grouping)
    (expected,) = get_backend("cpu").tally_cells([Column(values)], [plan], [grid], grouping)
    for one, other in zip(found, expected, strict=True):
        if not (one is other is None) and not np.array_equal(one, other):
            raise ValueError("rows are tallied otherwise than on the CPU")
    seconds = wall_seconds(lambda: list(backend.tally_cells([Column(values)], [plan], [grid], grouping)), repeats)
    return {"wall": seconds, "rows_per_s": grouping.groups.size / seconds["median_s"]}


def from_the_host(backend: Backend, rows: int, repeats: int) -> dict[str, Any]:
    """Rows of the host, against copying pinned memory alone."""
    import cupy
    from numba import cuda

    pinned = cuda.pinned_array(1 << 26, np.float32)
    pinned[:] = 0
    target = cuda.device_array(pinned.size, np.float32)
    stream = cuda.stream()

    def copy() -> None:
        target.copy_to_device(pinned, stream=stream)
        stream.synchronize()

    limit = pinned.nbytes / wall_seconds(copy, repeats)["median_s"] / 1e9
    values = cupy.asnumpy(made("normal", "float32", rows))
    plan = plan_for("float32", SHAPES[0])
    seconds = wall_seconds(lambda: list(backend.count_cells([Column(values)], [plan])), min(repeats, 5))
    bandwidth = values.nbytes / seconds["median_s"] / 1e9
    print(f"  from the host {bandwidth:.1f} GB/s of {limit:.1f}")
    return {"seconds": seconds, "GB_per_s": bandwidth, "copy_GB_per_s": limit, "share_of_copy": bandwidth / limit}


def whole_report(repeats: int) -> dict[str, Any]:
    """A million rows of 8 columns that are on the device, to a finished report; needs gpudrift's own dependencies."""
    import gpudrift as gd

    table = {f"x{j}": made(kind, "float32", 1_000_000) for j, kind in enumerate((*DATA, "normal", "uniform"))}
    champion = gd.profile(table, backend="cuda")
    counted = wall_seconds(lambda: champion.count(table, backend="cuda"), repeats)
    seconds = wall_seconds(lambda: champion.compare(champion.count(table, backend="cuda")), repeats)
    print(
        f"  1M x 8 on the device: counted in {counted['median_s'] * 1e3:.2f} ms, report {seconds['median_s'] * 1e3:.2f}"
    )
    return {"rows": 1_000_000, "features": 8, "counted": counted, "report": seconds}


if __name__ == "__main__":
    main()
