"""What "auto" counts with where there is a GPU: that one, or the CPU where the GPU turns out to refuse this process.

A driver that answers may still refuse: a GPU that another process has for itself, one without memory for a context, one
that the compiler does not know. Only using it tells. So one value is counted before the first rows are, and what that
raises is the reason to count on the CPU instead. What fails later is raised: a count that broke off hides nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.backend import Backend, CategoryColumn, NumericColumn, Residence, say_once
from gpudrift_kernels.cells import SHAPES, CellPlan
from gpudrift_kernels.errors import GpudriftError
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.occupied import Occupied

#: By GPU, why it refuses this process; None: it counts. What was found first holds for all threads, to the end.
_FOUND: Final[dict[int, str | None]] = {}

if hasattr(os, "register_at_fork"):  # a child has no context, whatever its parent has
    os.register_at_fork(after_in_child=_FOUND.clear)


class AutoBackend:
    """A GPU, and the CPU that takes its place where it refuses; asked at the first verb that needs it.

    Parameters
    ----------
    gpu, cpu : Backend
    ordinal : int
        Of the GPU.
    """

    def __init__(self, gpu: Backend, cpu: Backend, ordinal: int) -> None:
        self.gpu = gpu
        self.cpu = cpu
        self.ordinal = ordinal

    @property
    def name(self) -> str:
        """That of the CPU once the GPU has refused."""
        return (self.cpu if _FOUND.get(self.ordinal) else self.gpu).name

    @property
    def threads(self) -> int:
        return self.cpu.threads

    @property
    def residence(self) -> Residence | None:
        return self._taken().residence

    def count_cells(self, columns: Sequence[NumericColumn], plans: Sequence[CellPlan]) -> Iterator[Occupied]:
        return self._taken().count_cells(columns, plans)

    def count_categories(
        self, columns: Sequence[CategoryColumn], n_categories: Sequence[int]
    ) -> Iterator[NDArray[np.int64]]:
        return self._taken().count_categories(columns, n_categories)

    def tally_cells(
        self,
        columns: Sequence[NumericColumn],
        plans: Sequence[CellPlan],
        grids: Sequence[NDArray[np.int32]],
        grouping: Grouping,
    ) -> Iterator[Tally]:
        return self._taken().tally_cells(columns, plans, grids, grouping)

    def tally_categories(
        self,
        columns: Sequence[CategoryColumn],
        n_categories: Sequence[int],
        grids: Sequence[NDArray[np.int32]],
        grouping: Grouping,
    ) -> Iterator[Tally]:
        return self._taken().tally_categories(columns, n_categories, grids, grouping)

    def sort(self, values: Any, *, overwrite: bool = False) -> NDArray[Any]:
        return self._taken().sort(values, overwrite=overwrite)

    def ks_sorted(self, reference: NDArray[Any], current: NDArray[Any]) -> float:
        return self.cpu.ks_sorted(reference, current)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], *, together: int = 1) -> Iterator[Any]:
        return self.cpu.map(function, items, together=together)

    def _taken(self) -> Backend:
        reason = refusal(self.gpu, self.ordinal)
        if reason is None:
            return self.gpu
        say_once(reason, logging.WARNING)
        return self.cpu


def refusal(gpu: Backend, ordinal: int) -> str | None:
    """Why a GPU cannot count in this process, None where it can: it counts one value, once a process."""
    if ordinal not in _FOUND:
        try:
            list(gpu.count_cells([_OneValue()], [CellPlan("float32", 0.0, 0, *SHAPES[0])]))
        except GpudriftError as error:
            return _FOUND.setdefault(ordinal, str(error))
    return _FOUND.setdefault(ordinal, None)


class _OneValue:
    """The smallest column there is."""

    n_rows = 1
    in_place = False

    def values(self, start: int, stop: int) -> tuple[NDArray[np.float32], int]:
        return np.zeros(stop - start, np.float32), 0

    def aligned(self, start: int, stop: int) -> tuple[NDArray[np.float32], None]:
        return np.zeros(stop - start, np.float32), None
