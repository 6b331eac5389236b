"""Parquet read onto a GPU by cuDF, which reads through KvikIO: a few row groups at a time, numbers only.

Texts, times and the rest are read on the host beside them: texts stay in the dictionaries that they are stored in,
where a GPU would hold each once a row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from gpudrift.frames.column import Raw, first_line
from gpudrift.frames.device import device_column
from gpudrift.frames.parquet_files import ParquetFile
from gpudrift_kernels.cuda.availability import has_cupy, installed

_log = logging.getLogger(__name__)

#: What cuDF raises for a file or a codec that it does not read, and where the GPU has no memory.
_FAILURES: Final = (ImportError, MemoryError, NotImplementedError, OSError, RuntimeError, ValueError)


def reads_parquet() -> bool:
    """Whether cuDF is installed, and CuPy, which takes its columns; asked without importing them."""
    return installed("cudf") and has_cupy()


def numbers_of(file: ParquetFile, names: Sequence[str], types: Mapping[str, pa.DataType]) -> list[str]:
    """Columns that go to the GPU: numbers that it has a type for, stored in the type of the whole table."""
    return [
        name
        for name in names
        if (dtype := file.stored.get(name)) is not None
        and dtype == types[name]
        and (pt.is_integer(dtype) or pt.is_float32(dtype) or pt.is_float64(dtype))
    ]


def row_groups_of(
    metadata: pq.FileMetaData, numbers: Sequence[str], most_bytes: int
) -> Iterator[tuple[list[int], bool]]:
    """Row groups in order, as many at a time as fit; True where they do: one alone that does not is for the host.

    Neither the numbers, decoded, nor the other columns, as they are stored, take more than ``most_bytes``.
    """
    paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    fields = metadata.schema.to_arrow_schema()
    row_bytes = sum(fields.field(name).type.bit_width // 8 + 1 for name in numbers)  # and whether it is null
    held: list[int] = []
    on_gpu = on_host = 0
    for g in range(metadata.num_row_groups):
        group = metadata.row_group(g)
        decoded = group.num_rows * row_bytes
        stored = sum(group.column(i).total_uncompressed_size for i, path in enumerate(paths) if path not in numbers)
        if max(decoded, stored) > most_bytes:
            if held:
                yield held, True
            yield [g], False
            held, on_gpu, on_host = [], 0, 0
            continue
        if held and max(on_gpu + decoded, on_host + stored) > most_bytes:
            yield held, True
            held, on_gpu, on_host = [], 0, 0
        held.append(g)
        on_gpu, on_host = on_gpu + decoded, on_host + stored
    if held:
        yield held, True


def numbers_on_device(path: str, numbers: Sequence[str], groups: Sequence[int], ordinal: int) -> dict[str, Raw] | None:
    """Columns of some row groups on a GPU; None, said once, where cuDF does not read them."""
    try:
        import cudf
        import cupy

        with cupy.cuda.Device(ordinal):
            # neither an index out of the metadata of pandas nor columns out of the names of folders
            table: Any = cudf.read_parquet(
                path,
                columns=list(numbers),
                row_groups=[list(groups)],
                use_pandas_metadata=False,
                dataset_kwargs={"partitioning": None},
            )
            return {name: device_column(table[name]) for name in numbers}
    except _FAILURES as error:
        _say_once(f"cuDF does not read {path}: {first_line(error)}")
        return None


@cache
def _say_once(message: str) -> None:
    _log.warning("%s; such row groups are read on the host", message)
