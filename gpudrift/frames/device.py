"""Columns on a GPU, counted where they lie: CuPy, cuDF, CUDA tensors of torch, and whatever else speaks DLPack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.errors import DependencyMissing
from gpudrift_kernels.cuda.failures import explained
from gpudrift_kernels.on_host import on_host

_ON_CUDA: Final = (2, 13)  # of DLPack, enum DLDeviceType: CUDA, and its managed memory
_TEXT: Final = ("category", "object", "str")  # what cuDF calls their dtypes


_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _there(method: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Run with the device of the column current, and say in a line what goes wrong on it."""

    @wraps(method)
    def run(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        column: Any = args[0]
        device = column.device
        with explained(f"GPU {device.id}"), device:
            return method(*args, **kwargs)

    return run


@dataclass(frozen=True, eq=False)
class DeviceColumn:
    """Numbers on a GPU.

    Attributes
    ----------
    array : cupy.ndarray
        1-D, of integers or floats; may be strided or read-only. Shares its memory with what a user passed.
    null : cupy.ndarray of bool, optional
        Rows without a value.
    """

    array: Any
    null: Any = None

    def __len__(self) -> int:
        return int(self.array.shape[0])

    @property
    def nbytes(self) -> int:
        return int(self.array.nbytes)

    @property
    def type(self) -> pa.DataType:
        return pa.from_numpy_dtype(self.array.dtype)

    @property
    def device(self) -> Any:
        """Of CuPy."""
        return self.array.device

    def rows(self, start: int, stop: int) -> DeviceColumn:
        """Rows start to stop; a view."""
        return DeviceColumn(self.array[start:stop], None if self.null is None else self.null[start:stop])

    @_there
    def rows_at(self, positions: NDArray[np.int64]) -> NDArray[Any] | pa.ChunkedArray:
        """Rows at positions, on the host."""
        taken = on_host(self.array[positions])
        return taken if self.null is None else _with_nulls(taken, on_host(self.null[positions]))

    @_there
    def to_arrow(self) -> pa.ChunkedArray:
        """All rows, on the host."""
        return _with_nulls(on_host(self.array), None if self.null is None else on_host(self.null))

    @_there
    def present(self) -> tuple[Any, int]:
        """The values without nulls, and how many there are of these."""
        if self.null is None:
            return self.array, 0
        values = self.array[~self.null]
        return values, len(self) - int(values.shape[0])

    @_there
    def all_missing(self) -> bool:
        """Whether no row has a value: null or NaN throughout."""
        values, _ = self.present()
        if self.array.dtype.kind != "f":
            return not values.shape[0]
        from gpudrift_kernels.cuda.missing import missing

        return bool(missing(values) == values.shape[0])


@dataclass(frozen=True, eq=False)
class DeviceCategories:
    """Texts or categories on a GPU, as codes of a dictionary that cuDF hashed them into.

    Attributes
    ----------
    codes : cupy.ndarray of int32
        Place of each row in the dictionary; negative for null.
    dictionary : pyarrow.Array
        On the host.
    """

    codes: Any
    dictionary: pa.Array

    def __len__(self) -> int:
        return int(self.codes.shape[0])

    @property
    def nbytes(self) -> int:
        return int(self.codes.nbytes)

    @property
    def type(self) -> pa.DataType:
        return pa.dictionary(pa.int32(), self.dictionary.type)

    @property
    def device(self) -> Any:
        """Of CuPy."""
        return self.codes.device

    def rows(self, start: int, stop: int) -> DeviceCategories:
        """Rows start to stop; a view."""
        return DeviceCategories(self.codes[start:stop], self.dictionary)

    @_there
    def rows_at(self, positions: NDArray[np.int64]) -> pa.ChunkedArray:
        """Rows at positions, on the host."""
        return DeviceCategories(self.codes[positions], self.dictionary).to_arrow()

    @_there
    def to_arrow(self) -> pa.ChunkedArray:
        """All rows, on the host."""
        codes = on_host(self.codes)
        return pa.chunked_array([pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), self.dictionary)])

    @_there
    def counts(self) -> tuple[pa.Array, NDArray[np.int64]]:
        """Entries of the dictionary that rows have, and the rows of each."""
        import cupy

        used, amounts = (on_host(found) for found in cupy.unique(self.codes, return_counts=True))
        return self.dictionary.take(pa.array(used[used >= 0])), amounts[used >= 0].astype(np.int64)

    @_there
    def all_missing(self) -> bool:
        """Whether every row is null."""
        return not bool((self.codes >= 0).any())


def is_on_device(values: Any) -> bool:
    """Whether an array lies on an NVIDIA GPU; its class is asked first, which costs nothing."""
    kind = type(values)
    if hasattr(kind, "__dlpack_device__"):
        return bool(values.__dlpack_device__()[0] in _ON_CUDA)
    return hasattr(kind, "__cuda_array_interface__")


def is_cudf(values: Any) -> bool:
    """Whether values are a Series of cuDF."""
    return type(values).__module__.partition(".")[0] == "cudf"


def device_arrays(table: Any) -> Mapping[str, Any]:
    """The columns of an array on a GPU: ``x``, or ``x0``, ``x1``, ... of two dimensions."""
    return {f"x{j}": table[:, j] for j in range(table.shape[1])} if table.ndim == 2 else {"x": table}


@explained("the GPU of a column")
def device_column(values: Any) -> DeviceColumn | DeviceCategories | pa.ChunkedArray:
    """The column without a copy; as Arrow where it holds neither numbers nor texts, which are counted on the host.

    Raises
    ------
    TypeError
        It has a type that has no numbers.
    DependencyMissing
        CuPy is not installed.
    DeviceError, BackendUnavailable
        Its GPU has no memory, or is not there.
    """
    text = is_cudf(values) and str(values.dtype).startswith(_TEXT)
    if is_cudf(values) and not text and values.dtype.kind not in "iuf":
        return pa.chunked_array([values.to_arrow()])
    try:
        import cupy
    except ImportError as error:
        raise DependencyMissing('columns on a GPU need CuPy: pip install "gpudrift[gpu]"') from error
    if text:
        categories = values.astype("category").cat
        codes = cupy.asarray(categories.codes.astype("int32").fillna(-1))
        return DeviceCategories(codes, categories.categories.to_arrow())
    if is_cudf(values):
        null = cupy.asarray(values.isna()) if values.null_count else None
        return DeviceColumn(cupy.asarray(values if null is None else values.fillna(0)), null)
    if hasattr(values, "__dlpack__"):
        values = values.detach() if getattr(values, "requires_grad", False) else values
        array = values if isinstance(values, cupy.ndarray) else cupy.from_dlpack(values)
    else:
        array = cupy.asarray(values)
    if array.dtype.kind == "b":
        return pa.chunked_array([pa.array(on_host(array))])
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{array.dtype} has neither order nor categories")
    with array.device:
        current = cupy.cuda.get_current_stream()
        if current.ptr:  # other threads, whose stream is the default one, wait for what is queued on this thread's
            cupy.cuda.Stream.null.wait_event(current.record())
    return DeviceColumn(array)


def as_plan_takes(values: Any, dtype: np.dtype[Any]) -> tuple[Any, int]:
    """Contiguous values of a device in a dtype that the kernels widen to a plan's; how many NaN were left out.

    Values outside the plan's dtype go to its end, as on the host.
    """
    import cupy

    n_missing = 0
    with values.device:
        if values.dtype.kind == "f" and dtype.kind != "f":
            present = ~cupy.isnan(values)
            n_missing = int(values.size - present.sum())
            values = values[present]
        return _narrowed(values, dtype), n_missing


def aligned_as_plan_takes(column: DeviceColumn, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """The same of every row, any value where there is none, and where there is one; None: everywhere. Both stay there.

    A NaN is no value where the plan is of integers; else it is one, which is counted as missing.
    """
    import cupy

    values = column.array
    with column.device:
        present = None if column.null is None else ~column.null
        if values.dtype.kind == "f" and dtype.kind != "f":
            number = ~cupy.isnan(values)
            values = cupy.where(number, values, 0)
            present = number if present is None else present & number
        return _narrowed(values, dtype), None if present is None else cupy.ascontiguousarray(present)


def _narrowed(values: Any, dtype: np.dtype[Any]) -> Any:
    """Contiguous values in a dtype that the kernels widen; of floats no NaN where the plan is of integers."""
    import cupy

    have = values.dtype
    if dtype.kind == "f":
        if have.kind == "f" and have.itemsize > dtype.itemsize:
            limit = np.finfo(dtype).max
            values = cupy.where(cupy.isinf(values), values, cupy.clip(values, -limit, limit)).astype(dtype)
    elif have.kind == "f":
        values = values.astype(dtype)
    elif not np.can_cast(have, dtype):
        lowest, highest = max(np.iinfo(have).min, np.iinfo(dtype).min), min(np.iinfo(have).max, np.iinfo(dtype).max)
        values = cupy.clip(values, lowest, highest).astype(dtype)
    return cupy.ascontiguousarray(values)


def _with_nulls(values: NDArray[Any], null: NDArray[np.bool_] | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, mask=null)])
