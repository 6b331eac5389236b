"""Reservoir: the rows of the past that a model carries, so that an update does not forget them.

Half of it is the newest rows. The other half is a uniform sample of all rows ever seen: every row has a random key that
depends on the seed and its number alone, and those with the smallest keys are kept. So the sample is exact (each set of
k rows is as likely as any other), and the same whether the rows come in one piece or in a thousand.
Source: bottom-k sampling (Cohen and Kaplan, 2007, doi:10.1145/1281100.1281133).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gpudrift.errors import ConfigError

MOST_ROWS: Final = 20_000
ROW, KEY = "gpudrift:row", "gpudrift:key"


@dataclass(frozen=True)
class Reservoir:
    """Rows with their number and key; ``n_seen`` rows have gone by.

    Examples
    --------
    >>> empty = Reservoir.empty(size=4, seed=0)
    >>> once = empty.add(10, lambda positions: pa.table({"x": positions}))
    >>> once.n_seen, once.rows["x"].to_pylist()[-2:]
    (10, [8, 9])
    """

    size: int
    seed: int
    n_seen: int
    rows: pa.Table | None

    @classmethod
    def empty(cls, *, size: int, seed: int) -> Reservoir:
        """Nothing seen yet; ``size`` is at most 20,000."""
        if not 2 <= size <= MOST_ROWS:
            raise ConfigError(f"replay_rows must be 0, or between 2 and {MOST_ROWS:,}, got {size}")
        return cls(size, seed, 0, None)

    def add(self, n_rows: int, sample: Callable[[NDArray[np.int64]], pa.Table]) -> Reservoir:
        """Let ``n_rows`` go by; ``sample`` gives the rows at ascending positions among them."""
        keys = row_keys(self.seed, self.n_seen, self.n_seen + n_rows)
        half = self.size // 2
        newest = np.arange(max(n_rows - half, 0), n_rows)
        smallest = np.argpartition(keys, half)[:half] if n_rows > half else np.arange(n_rows)
        positions = np.union1d(newest, smallest)
        table = sample(positions)
        table = table.append_column(ROW, pa.array(self.n_seen + positions))
        table = table.append_column(KEY, pa.array(keys[positions]))
        if self.rows is not None:
            table = pa.concat_tables([self.rows, table], promote_options="permissive")
        n_seen = self.n_seen + n_rows
        return Reservoir(self.size, self.seed, n_seen, _kept(table, n_seen, half))

    def at_most(self, n_rows: int) -> pa.Table | None:
        """The rows of a reservoir of that size: half of them recent, half of all history; None where it has none."""
        if self.rows is None or n_rows <= 0:
            return None
        return _kept(self.rows, self.n_seen, min(n_rows, self.size) // 2)

    def to_bytes(self) -> bytes:
        """A Parquet file."""
        sink = io.BytesIO()
        notes = {"size": str(self.size), "seed": str(self.seed), "n_seen": str(self.n_seen)}
        rows = self.rows if self.rows is not None else pa.table({})
        pq.write_table(rows.replace_schema_metadata(notes), sink, compression="zstd")
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Reservoir:
        """What ``to_bytes`` gave."""
        rows = pq.read_table(pa.BufferReader(content))
        notes = {key.decode(): int(value) for key, value in (rows.schema.metadata or {}).items() if key in _NOTES}
        return cls(
            notes["size"], notes["seed"], notes["n_seen"], rows.replace_schema_metadata(None) if len(rows) else None
        )


_NOTES: Final = (b"size", b"seed", b"n_seen")


def row_keys(seed: int, start: int, stop: int) -> NDArray[np.float64]:
    """Keys of rows start to stop, uniform in [0, 1): a counter-based generator reads them at any place."""
    generator = np.random.Philox(key=seed)
    generator.advance(start // 4)  # four numbers come from one step of the counter
    return np.random.Generator(generator).random(stop - start + start % 4)[start % 4 :]


def _kept(table: pa.Table, n_seen: int, half: int) -> pa.Table:
    """The last ``half`` rows, and the ``half`` of smallest key."""
    kept = table[ROW].to_numpy() >= n_seen - half
    kept[np.argsort(table[KEY].to_numpy(), kind="stable")[:half]] = True
    return table.filter(pa.array(kept))
