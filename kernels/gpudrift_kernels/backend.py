"""Backend protocol and get_backend(): the only place that chooses a device."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.errors import BackendUnavailable, ConfigError

BackendName = Literal["auto", "cpu", "cuda"]


class NumericColumn(Protocol):
    """Rows of one column, in the dtype of a plan."""

    @property
    def n_rows(self) -> int: ...

    def values(self, start: int, stop: int) -> tuple[NDArray[Any], int]:
        """Rows start to stop without nulls (1-D, contiguous), and how many nulls were left out."""
        ...


class CategoryColumn(Protocol):
    """Rows of one column as codes of a vocabulary."""

    @property
    def n_rows(self) -> int: ...

    def codes(self, start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Local codes of rows start to stop (negative: missing), and the vocabulary's code of each local one.

        The vocabulary's codes lie in 0 .. n_categories - 1; a local code without one is counted as missing.
        """
        ...


class Backend(Protocol):
    """What a device must do: every verb that touches rows, and nothing else."""

    name: str

    def count_cells(self, columns: Sequence[NumericColumn], plans: Sequence[CellPlan]) -> Iterator[NDArray[np.int64]]:
        """Counts of each column over its plan, in turn; int64, length ``plan.n_counters``."""
        ...

    def count_categories(
        self, columns: Sequence[CategoryColumn], n_categories: Sequence[int]
    ) -> Iterator[NDArray[np.int64]]:
        """Counts of each vocabulary code, the last of which is "new", then of missing; in turn.

        int64, length ``n_categories + 1``.
        """
        ...

    def sort(self, values: NDArray[Any]) -> NDArray[Any]:
        """The finite values in ascending order."""
        ...

    def ks_sorted(self, reference: NDArray[Any], current: NDArray[Any]) -> float:
        """Largest absolute difference of two empirical CDFs, from sorted finite values of one dtype.

        0 where a side is empty.
        """
        ...

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """``function`` of each item, in order, spread over the backend's host threads."""
        ...


def get_backend(name: BackendName | Backend = "auto", *, threads: int | None = None) -> Backend:
    """The device that counts.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda"} or Backend
        ``"auto"`` reads the environment variable GPUDRIFT_DEVICE, else takes the CPU. A Backend is returned as it is.
    threads : int, optional
        Host threads; all processors this process may use by default. A Dask worker gives its own.

    Raises
    ------
    BackendUnavailable
        For ``"cuda"``: this version counts on the CPU only. It never falls back silently.
    ConfigError
        For another name, or fewer than one thread.

    Examples
    --------
    >>> get_backend("cpu").name
    'cpu'
    """
    if not isinstance(name, str):
        return name
    wanted = os.environ.get("GPUDRIFT_DEVICE") if name == "auto" else None
    chosen, source = (wanted, "GPUDRIFT_DEVICE") if wanted else (name, "backend")
    if chosen not in ("auto", "cpu", "cuda"):
        raise ConfigError(f"{source} must be auto, cpu or cuda, got {chosen!r}")
    if chosen == "cuda":
        raise BackendUnavailable(f"{source} 'cuda' is not in this version of gpudrift: use 'cpu' or 'auto'")
    if threads is not None and threads < 1:
        raise ConfigError(f"threads must be >= 1, got {threads}")
    from gpudrift_kernels.cpu.backend import CpuBackend, available_processors

    return CpuBackend(threads or available_processors())
