"""Libraries of a GPU over NumPy and pandas: they prove what is asked of CuPy and cuDF, not that these do it."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Place:
    """``cupy.cuda.Device``, which is made current by ``with``."""

    current = 0

    def __init__(self, ordinal: int) -> None:
        self.id = ordinal

    def __enter__(self) -> None:
        self._before, Place.current = Place.current, self.id

    def __exit__(self, *error: object) -> None:
        Place.current = self._before


class Resident(np.ndarray):  # type: ignore[type-arg]
    """What the stand-in for CuPy holds."""

    device = Place(0)

    def __array_finalize__(self, parent: Any) -> None:
        if isinstance(parent, Resident):
            self.device = parent.device


class Tensor:
    """An array of another library that says it lies on a GPU, and hands itself over by DLPack alone."""

    def __init__(self, array: NDArray[Any], device: int = 0) -> None:
        self._array = array
        self._device = device
        self.ndim, self.shape = array.ndim, array.shape

    def __getitem__(self, key: Any) -> Tensor:
        return Tensor(self._array[key], self._device)

    def __iter__(self) -> Any:
        raise AssertionError("a device array is never walked through on the host")

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self._device

    def __dlpack__(self, **_: Any) -> Tensor:
        return self


class Addressed:
    """An array of Numba: it has an address and a length, and is no iterable."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array
        self.ndim, self.shape = array.ndim, array.shape

    def __len__(self) -> int:
        return len(self._array)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        return dict(self._array.__array_interface__)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return self._array


def cupy_stand_in() -> ModuleType:
    """As much of CuPy as gpudrift asks of it."""
    module = ModuleType("cupy")

    def resident(values: Any) -> Resident:
        array = np.asarray(values).view(Resident)
        array.device = Place(Place.current)
        return array

    def from_dlpack(tensor: Tensor) -> Resident:
        array = tensor._array.view(Resident)
        array.device = Place(tensor._device)
        return array

    cuda = ModuleType("cupy.cuda")
    vars(cuda).update(Device=Place, get_current_stream=lambda: SimpleNamespace(ptr=0))
    vars(module).update(
        ndarray=Resident, from_dlpack=from_dlpack, asnumpy=np.asarray, asarray=resident, clip=np.clip,
        where=np.where, isnan=np.isnan, isinf=np.isinf, ascontiguousarray=np.ascontiguousarray, unique=np.unique,
        cuda=cuda,
    )  # fmt: skip
    return module


_NULLABLE = {
    pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(), pa.uint16(): pd.UInt16Dtype(), pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(), pa.float32(): pd.Float32Dtype(), pa.float64(): pd.Float64Dtype(),
}  # fmt: skip


class Accessor:
    """``series.cat`` of cuDF."""

    def __init__(self, column: pa.DictionaryArray) -> None:
        self.codes = CudfSeries(column.indices.to_pandas(types_mapper=_NULLABLE.get))
        self.categories = CudfSeries(pd.Series(column.dictionary.to_pylist(), dtype=object))


class CudfSeries:
    """As much of a Series of cuDF as is asked for, over pandas; it proves what is asked, not that cuDF does it."""

    __module__ = "cudf.core.series"

    def __init__(self, series: pd.Series[Any]) -> None:
        self._series = series
        self.dtype = series.dtype
        self.null_count = int(series.isna().sum())

    @property
    def cat(self) -> Accessor:
        return Accessor(pa.array(self._series.astype(object), from_pandas=True).dictionary_encode())

    def __iter__(self) -> Any:
        raise AssertionError("a device array is never walked through on the host")

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return self._series.to_numpy(getattr(self.dtype, "numpy_dtype", self.dtype))

    def astype(self, dtype: str) -> CudfSeries:
        return self if dtype == "category" else CudfSeries(self._series.astype(dtype.capitalize()))

    def fillna(self, value: int) -> CudfSeries:
        return CudfSeries(self._series.fillna(value))

    def isna(self) -> CudfSeries:
        return CudfSeries(self._series.isna())

    def to_arrow(self) -> pa.Array:
        return pa.array(self._series, from_pandas=True)


class CudfParquet(ModuleType):
    """``cudf.read_parquet`` by pyarrow, which keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__("cudf")
        self.asked: list[dict[str, Any]] = []
        self.most_groups = 1 << 30

    def read_parquet(self, path: str, **options: Any) -> dict[str, CudfSeries]:
        self.asked.append({"filepath_or_buffer": path, "device": Place.current, **options})
        (groups,) = options["row_groups"]
        if len(groups) > self.most_groups:
            raise MemoryError("std::bad_alloc: out_of_memory")
        with pq.ParquetFile(path) as file:
            table = file.read_row_groups(groups, columns=options["columns"])
        return {name: CudfSeries(table[name].to_pandas(types_mapper=_NULLABLE.get)) for name in options["columns"]}
