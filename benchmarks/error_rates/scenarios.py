"""Every setting that is simulated."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from benchmarks.error_rates import outcome, populations, streams
from benchmarks.error_rates.outcome import Named
from benchmarks.error_rates.shifts import SIZES, shift
from benchmarks.error_rates.streams import Process
from gpudrift_kernels.backend import Backend

#: From so many values a side on, counts are drawn instead of rows.
FROM_COUNTS: Final = 1_000_000
ROWS: Final = (200, 10_000, 10_000_000)


@dataclass(frozen=True)
class Scenario:
    """One setting, and how many streams of it.

    Attributes
    ----------
    process : {"iid", "AR(1)", "DAR(1)", "common factor"}
        How rows depend on each other; with a common factor it is the columns that do.
    phi : float
        Autocorrelation at lag one, or the correlation between columns.
    rows : int
        Of either side.
    shift, size : str, float
        Family and size of the drift on the current side; "" and 0 without drift.
    with_peers : int
        Of the streams, the first so many are given to the other packages' rules as well.
    """

    process: str
    phi: float
    rows: int
    features: int
    streams: int
    with_peers: int
    shift: str = ""
    size: float = 0.0

    @property
    def null(self) -> bool:
        """Whether there is nothing to find."""
        return not self.shift

    @property
    def drawn_as_counts(self) -> bool:
        """Whether rows would be waste: then the columns are populations of about a thousand values."""
        return self.rows * self.features >= FROM_COUNTS

    @property
    def name(self) -> str:
        """For a person."""
        what = f"{self.shift} {self.size:g}" if self.shift else "no drift"
        process = self.process if self.process == "iid" else f"{self.process} {self.phi:g}"
        return f"{what}, {process}, {self.rows:,} rows, {self.features} features"

    def run(self, stream: int, backend: Backend) -> dict[str, Named]:
        """What each rule names in one stream; the same for the same scenario and number."""
        # A seed of the settings alone: adding scenarios, or streams, changes no stream.
        seed = zlib.crc32(f"{self.process} {self.phi} {self.rows} {self.features} {self.shift} {self.size}".encode())
        rng = np.random.default_rng([seed, stream])
        moved = shift(self.shift, self.size) if self.shift else None
        if self.drawn_as_counts:
            reference = populations.side(rng, self.rows, self.features, self.phi)
            current = populations.side(rng, self.rows, self.features, self.phi, moved)
            named = outcome.own(populations.compared(reference, current, backend))
            if stream < self.with_peers:
                named |= outcome.peers(populations.pairs(reference, current))
            return named
        process = Process(common=self.phi) if self.process == "common factor" else Process(phi=self.phi)
        before = streams.side(rng, self.rows, self.features, process)
        after = streams.side(rng, self.rows, self.features, process, moved)
        named = outcome.own(streams.compared(before, after, backend))
        if stream < self.with_peers:
            named |= outcome.peers(streams.pairs(before, after))
        return named

    def to_dict(self) -> dict[str, Any]:
        """The settings, as plain values."""
        return asdict(self)


def scenarios(*, quick: bool) -> Iterator[Scenario]:
    """All of them, the wide tables last; quick ones have a tenth of the streams and no wide table beyond 200 rows."""
    null, wide, power = (200, 20, 20) if quick else (2000, 100, 200)
    for rows in ROWS:
        yield Scenario("iid", 0.0, rows, 8, null, null)
    for rows in ROWS[:2]:
        yield Scenario("common factor", 0.5, rows, 8, null, null)
        for phi in (0.2, 0.5, 0.8, 0.95, 0.99):
            yield Scenario("AR(1)", phi, rows, 8, null // 4, null // 4)
    for phi in (0.5, 0.9, 0.99, 0.999, 0.9999):
        yield Scenario("DAR(1)", phi, ROWS[2], 8, null // 4, null // 4)
    for rows in ROWS:
        for family, sizes in SIZES.items():
            for size in sizes:
                yield Scenario("iid", 0.0, rows, 8, power, power, family, size)
    for rows in ROWS[:1] if quick else ROWS:
        yield Scenario("iid", 0.0, rows, 200, null, wide)
    yield Scenario("AR(1)", 0.5, ROWS[0], 200, null // 4, wide)
