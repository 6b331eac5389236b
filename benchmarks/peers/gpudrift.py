"""gpudrift, through its public face."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gpudrift as gd
from benchmarks.peers import inputs
from gpudrift.bench import streaming_sum
from gpudrift.bench.agreement import counts_disagreement, found_by

VERSION = gd.__version__
Contender = tuple[Callable[[], Any], Callable[[Any], Any]]


def drift(folder: Path, *, exact: bool = False) -> Contender:
    """Every statistic and the verdict, from arrays to report."""
    reference, current = inputs.sides(folder)
    return lambda: gd.check_drift(reference=reference, current=current, exact=exact), found_by


def ks(folder: Path) -> Contender:
    """The exact KS distance and nothing else: sorting both sides, then one merge."""
    reference, current = inputs.sides(folder)
    backend = gd.get_backend()

    def work() -> dict[str, Any]:
        found = {}
        for name in reference:
            f, g = backend.map(backend.sort, (reference[name], current[name]))
            distance = backend.ks_sorted(f, g)
            found[name] = [None, None, distance, distance]
        return found

    return work, lambda found: found


def sum_all(folder: Path, *, side: str | None = None) -> Contender:
    """What the memory can deliver: every value read once, by all processors."""
    tables = [inputs.one(folder, side)] if side else inputs.sides(folder)
    columns = [column for table in tables for column in table.values()]
    return lambda: streaming_sum(columns), lambda total: total


def count(folder: Path) -> Contender:
    """A batch over a loaded profile."""
    reference, batch = inputs.sides(folder)
    profile = gd.profile(reference)

    def problem(counts: gd.Counts) -> str | None:
        names = list(batch)[: 4 if next(iter(batch.values())).size > 1_000_000 else None]
        return counts_disagreement(profile, counts, batch, names)

    return lambda: profile.count(batch), problem


def categories(folder: Path, *, library: str) -> Contender:
    """One column of texts, from a table of a library to report."""
    import pyarrow.feather

    reference, current = (pyarrow.feather.read_table(folder / f"{side}.arrow") for side in ("reference", "current"))
    if library == "pandas":
        reference, current = reference.to_pandas(), current.to_pandas()

    def described(report: gd.DriftReport) -> dict[str, Any]:
        return {"js": report["x"].js_distance, "bins": [[b.label, b.reference, b.current] for b in report["x"].bins]}

    return lambda: gd.check_drift(reference=reference, current=current), described


def parquet(folder: Path) -> Contender:
    """Directories of Parquet, streamed."""
    places = [str(folder / side) for side in ("reference", "current")]
    return lambda: gd.check_drift(reference=places[0], current=places[1]), found_by
