"""``histogram.cu`` through CuPy: all columns of a dtype in one launch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import cut_table
from gpudrift_kernels.cuda.driver import Device
from gpudrift_kernels.cuda.plan_tables import PlanTables
from gpudrift_kernels.cuda.staging import COLUMN, Piece, Records
from gpudrift_kernels.tuning import CudaPolicy, cuda_policy_for

SOURCE: Final = Path(__file__).with_name("histogram.cu")
#: What the .cu calls each stored dtype.
STORED: Final = {
    "float16": "Half", "float32": "float", "float64": "double",
    "int8": "signed char", "int16": "short", "int32": "int", "int64": "Int64",
    "uint8": "unsigned char", "uint16": "unsigned short", "uint32": "unsigned int", "uint64": "UInt64",
}  # fmt: skip
#: Cuts that a kernel holds in registers; more are searched.
COMPARED_CUTS: Final = 8
_GRID_COLUMNS: Final = 65_535
_OTHER_COUNTERS: Final = 1 + rules.N_SPECIAL  # of a shared table: outside of the window, and the specials
_RESERVED_SHARED_BYTES: Final = 1024  # of each block, by the system, from compute capability 8 on


class RawHistogram:
    """Counts pieces of the columns of one table, through their plans."""

    compared_cuts = COMPARED_CUTS

    def __init__(self, device: Device, tables: PlanTables) -> None:
        self._device = device
        self._plans = tables.plans
        self._columns = np.concatenate([_column(plan, device, tables, f) for f, plan in enumerate(tables.plans)])

    def count(self, pieces: Sequence[Piece], records: Records, stream: Any) -> None:
        """Queue the count of ``pieces``: one copy of their records, then a launch for each pair of dtypes.

        The records must rest until the stream is done with them.
        """
        import cupy

        launches = self.launches(pieces, records, stream)
        with cupy.cuda.Device(self._device.ordinal), cupy.cuda.ExternalStream(int(stream.handle or 0)):
            for launch in launches:
                launch()

    def launches(self, pieces: Sequence[Piece], records: Records, stream: Any) -> list[Callable[[], None]]:
        """Queue the copy of the records; what remains to be called, on the stream, to count."""
        by_pair: dict[tuple[str, str], list[Piece]] = {}
        for piece in pieces:
            by_pair.setdefault((piece.values.dtype.name, self._plans[piece.f].dtype), []).append(piece)
        ordered = list(chain.from_iterable(by_pair.values()))
        columns = records.host[: len(ordered)]
        columns[:] = self._columns[[piece.f for piece in ordered]]
        columns["values"] = [piece.values.__cuda_array_interface__["data"][0] for piece in ordered]
        columns["n"] = [piece.values.size for piece in ordered]
        address = records.send(len(ordered), stream)
        launches, first = [], 0
        for pair, members in by_pair.items():
            for start in range(first, first + len(members), _GRID_COLUMNS):
                part = columns[start : min(start + _GRID_COLUMNS, first + len(members))]
                launches.append(self._launch(*pair, part, address + start * COLUMN.itemsize))
            first += len(members)
        return launches

    def _launch(self, stored: str, plan_dtype: str, columns: NDArray[Any], address: int) -> Callable[[], None]:
        policy = cuda_policy_for(self._device.capability, plan_dtype)
        blocks = policy.blocks * self._device.multiprocessors
        worth = -(-int(columns["n"].max()) // policy.rows_per_block)
        grid = (max(1, min(worth, blocks // columns.size)), columns.size)
        shared = 4 * (int((columns["window_cells"] + columns["window_cuts"]).max()) + _OTHER_COUNTERS)
        kernel = _kernel(self._device, stored, plan_dtype)
        return partial(kernel, grid, (policy.threads,), (np.uint64(address),), shared_mem=shared)


def options_for(policy: CudaPolicy, stored: str, plan_dtype: str) -> tuple[str, ...]:
    """What histogram.cu is compiled with; eight values or more of a load are enough at once."""
    loads = 1 if np.dtype(stored).itemsize <= 2 else policy.loads
    return (
        "--std=c++17",
        "--fmad=false",
        f"-DSTORED={STORED[stored]}",
        f"-DPLAN={STORED[plan_dtype]}",
        f"-DTHREADS={policy.threads}",
        f"-DBLOCKS={policy.blocks}",
        f"-DLOADS={loads}",
        f"-DGROUP={policy.group}",
    )


def most_counters(device: Device, plan_dtype: str) -> int:
    """Counters of a shared table, so that as many blocks as the policy wants run on a multiprocessor."""
    blocks = cuda_policy_for(device.capability, plan_dtype).blocks
    share = device.shared_bytes_per_multiprocessor // blocks - _RESERVED_SHARED_BYTES
    return min(share, device.shared_bytes_per_block) // 4


def column_of(plan: CellPlan, most_counters: int) -> NDArray[Any]:
    """The record of a plan whose shared table may hold so many counters; without addresses and rows."""
    layout = plan.layout
    lower_bits = 0 if plan.dtype == "float32" else 32  # of t: no shift keeps any of them
    bits_of_one = int(layout.bits_of_one) >> lower_bits
    near_shift, far_shift = int(layout.near_shift) - lower_bits, int(layout.far_shift) - lower_bits
    near_of_one, far_of_one = bits_of_one >> near_shift, bits_of_one >> far_shift
    first_cell, window_cells = _window_of(plan, most_counters)
    column = np.zeros(1, COLUMN)
    column["centre"] = _as_bits(plan.typed_centre)
    column["scale"] = _as_bits(plan.scale)
    column["n_cuts"], column["n_index"], column["integral"] = plan.cuts.size, plan.n_index, plan.integral
    column["first_cell"], column["window_cells"], column["n_cells"] = first_cell, window_cells, plan.n_cells
    column["window_cuts"] = plan.cuts.size
    if plan.cuts.size and window_cells < plan.n_cells:
        lower = cut_table(plan)[[first_cell, first_cell + window_cells]]
        column["cuts_before"], column["window_cuts"] = lower[0], lower[1] - lower[0]
    column["near_shift"], column["far_shift"] = near_shift, far_shift
    far_of_limit = int(layout.near_limit) >> int(layout.far_shift)
    column["far_offset"] = int(layout.near_cells) - far_of_limit + near_of_one - far_of_one
    column["above"] = int(layout.half) - near_of_one - first_cell
    column["below"] = int(layout.half) - 1 + near_of_one - first_cell
    return column


def _window_of(plan: CellPlan, most_counters: int) -> tuple[int, int]:
    """First cell and number of cells of the stretch about the centre that a shared table holds, beside all the cuts."""
    n = min(plan.n_cells, most_counters - plan.cuts.size - _OTHER_COUNTERS)
    return (plan.n_cells - n) // 2, n


def _column(plan: CellPlan, device: Device, tables: PlanTables, f: int) -> NDArray[Any]:
    column = column_of(plan, most_counters(device, plan.dtype))
    column["counts"], column["cuts"], table = tables.addresses(f)
    column["cut_table"] = table and table + column["first_cell"].astype(np.uint64) * 4
    return column


def _as_bits(number: Any) -> int:
    """The bytes of a number of any type at the start of a field of 8."""
    return int.from_bytes(number.tobytes().ljust(8, b"\0"), "little")


@lru_cache(maxsize=128)
def _kernel(device: Device, stored: str, plan_dtype: str) -> Any:
    """Compiled once a process and device."""
    import cupy

    driver = cupy.cuda.driver
    with cupy.cuda.Device(device.ordinal):
        module = cupy.cuda.function.Module()
        module.load(machine_code(options_for(cuda_policy_for(device.capability, plan_dtype), stored, plan_dtype)))
        kernel = module.get_function("histogram")
        most_bytes = 4 * most_counters(device, plan_dtype)
        driver.funcSetAttribute(kernel.ptr, driver.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, most_bytes)
    return kernel


def machine_code(options: tuple[str, ...]) -> bytes:
    """``histogram.cu`` for the current device of CuPy.

    Not by its RawModule, which puts -ftz=true behind any options: float32 below 2**-126 would be counted as zero.
    """
    import cupy

    code: bytes
    code, _ = cupy.cuda.compiler.compile_using_nvrtc(SOURCE.read_text(encoding="utf-8"), options)
    return code
