"""How long do 4 GB of Parquet take from files to report, and how much of it is decoding?

Files lie in the page cache. The others read one column of both sides at a time, which bounds their memory to what the
longest column takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import oracle
from benchmarks.drift import INTERVAL
from benchmarks.harness import Case, Contender, Make, measure
from benchmarks.options import Options
from benchmarks.tables import SIDES, n_bytes
from gpudrift.bench import processors
from gpudrift.bench.tables import column

DECODE: Final = "decoding alone"
CONTENDERS: Final = (
    Contender(INTERVAL, "gpudrift", "parquet", convention="cells"),
    Contender(DECODE, "arrow", "decode", "nothing", against=INTERVAL),
    Contender("NumPy, all processors", "numpy", "parquet", against=INTERVAL, convention="deciles"),
    Contender("pandas and NumPy", "pandas", "parquet", against=INTERVAL, convention="deciles"),
    Contender("polars and NumPy", "polars", "parquet", against=INTERVAL, convention="deciles"),
)
N_FILES: Final = 5


def run(options: Options) -> Iterator[dict[str, Any]]:
    """Fifty million rows of ten float32 columns a side."""
    rows, features = options.rows or options.scaled(50_000_000), options.features or 10
    dtype = options.dtype or "float32"
    facts = {"rows": rows, "features": features, "dtype": dtype, "bytes": n_bytes(rows, features, dtype)}
    case = Case(facts, files(features, dtype), rows, n_bytes(rows, features, dtype))
    result = measure("parquet", case, CONTENDERS, check, options.repeats, budget_s=30)
    ours, decode = (result["contenders"][name].get("median_s") for name in (INTERVAL, DECODE))
    if ours and decode:
        result["share_of_decoding"] = decode / ours
        print(f"  decoding both sides once takes {decode / ours:.0%} of gpudrift's time")
    yield result


def files(features: int, dtype: str) -> Make:
    """A directory of files for each side, as pyarrow writes them by default."""

    def make(folder: Path, rows: int) -> None:
        with ThreadPoolExecutor(processors()) as pool:
            for side, name in enumerate(SIDES):
                (folder / name).mkdir()
                n_rows = -(-rows // N_FILES)
                columns = {f"x{j}": None for j in range(features)}
                for part in range(N_FILES):
                    made = pool.map(partial(_piece, n_rows, dtype, side, part * features), range(features))
                    table = pa.table(dict(zip(columns, made, strict=True)))
                    pq.write_table(table, folder / name / f"{part}.parquet")

    return make


def _piece(n_rows: int, dtype: str, side: int, first: int, j: int) -> Any:
    """Rows of the shape of column ``j``, other ones in every file."""
    return column(n_rows, j + 4 * first, dtype, side)


def check(contender: Contender, found: Any, folder: Path) -> str | None:
    """Hold PSI, JS and KS to the oracle, on the values as Arrow reads them."""
    if contender.name == DECODE:
        rows = sum(pq.ParquetFile(file).metadata.num_rows for file in folder.glob("*/*.parquet"))
        return None if found == rows else f"{found:,} rows were decoded of {rows:,}"
    if not (folder / "reference.npy").exists():
        _as_arrays(folder)
    return oracle.check_drift(contender, found, folder)


def _as_arrays(folder: Path) -> None:
    """The first four columns of both sides as the oracle reads them."""
    import numpy as np

    for side in SIDES:
        names = pq.read_schema(next((folder / side).iterdir())).names[:4]
        columns = [pq.read_table(folder / side, columns=[name])[name].to_numpy() for name in names]
        np.save(folder / f"{side}.npy", np.stack(columns))
