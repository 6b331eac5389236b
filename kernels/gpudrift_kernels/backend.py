"""Backend protocol and get_backend(): the only place that chooses a device."""

from __future__ import annotations

import logging
import os
import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cuda.availability import BROKEN, INSTALL_LINE, compiler_missing, obstacle
from gpudrift_kernels.cuda.driver import Device, driver
from gpudrift_kernels.cuda.memory import memory_limit
from gpudrift_kernels.errors import BackendUnavailable, ConfigError
from gpudrift_kernels.grouping import Grouping, Tally

if TYPE_CHECKING:
    from gpudrift_kernels.occupied import Occupied

BackendName = Literal["auto", "cpu", "cuda"]

_log = logging.getLogger(__name__)

#: What has been said, by the one that said it.
_SAID: Final[dict[str, object]] = {}


class NumericColumn(Protocol):
    """Rows of one column.

    On the host they are in the dtype of the plan; on a device in any that it holds, as whatever has
    ``__cuda_array_interface__``.
    """

    @property
    def n_rows(self) -> int: ...

    @property
    def in_place(self) -> bool:
        """Whether ``values`` lie in the caller's memory as they are: any number of them at once takes no more."""
        ...

    def values(self, start: int, stop: int) -> tuple[Any, int]:
        """Rows start to stop without nulls (1-D, contiguous), and how many nulls were left out."""
        ...

    def aligned(self, start: int, stop: int) -> tuple[Any, Any]:
        """A value for each of the rows start to stop, and where there is one (bool, beside it); None: everywhere."""
        ...


class CategoryColumn(Protocol):
    """Rows of one column as codes of a vocabulary."""

    @property
    def n_rows(self) -> int: ...

    @property
    def in_place(self) -> bool:
        """Whether ``counts`` reads the caller's memory as it is: any number of rows at once takes no more."""
        ...

    def codes(self, start: int, stop: int) -> tuple[Any, NDArray[np.int64]]:
        """Local codes of rows start to stop (negative: missing), and the vocabulary's code of each local one.

        The vocabulary's codes lie in 0 .. n_categories - 1, or are n_categories, which is missing; so is a local code
        without one.
        """
        ...

    def counts(self, start: int, stop: int) -> NDArray[np.int64] | None:
        """Counts of rows start to stop as ``Backend.count_categories`` has them, where the column finds them sooner.

        None: they are counted by their codes.
        """
        ...


class Residence(NamedTuple):
    """Where a batch is best read to.

    Attributes
    ----------
    ordinal : the GPU's.
    batch_bytes : most that a batch may take there.
    """

    ordinal: int
    batch_bytes: int


class Backend(Protocol):
    """What a device must do: every verb that touches rows, and nothing else."""

    @property
    def name(self) -> str:
        """As reports show it."""
        ...

    @property
    def threads(self) -> int:
        """Of the host, as ``map`` uses them."""
        ...

    @property
    def residence(self) -> Residence | None:
        """Where files are best read to; None: the host."""
        ...

    def count_cells(self, columns: Sequence[NumericColumn], plans: Sequence[CellPlan]) -> Iterator[Occupied]:
        """Counts of each column over its plan, in turn: of the ``plan.n_counters`` those that are not zero."""
        ...

    def count_categories(
        self, columns: Sequence[CategoryColumn], n_categories: Sequence[int]
    ) -> Iterator[NDArray[np.int64]]:
        """Counts of each vocabulary code, the last of which is "new", then of missing; in turn.

        int64, length ``n_categories + 1``.
        """
        ...

    def tally_cells(
        self,
        columns: Sequence[NumericColumn],
        plans: Sequence[CellPlan],
        grids: Sequence[NDArray[np.int32]],
        grouping: Grouping,
    ) -> Iterator[Tally]:
        """Rows of each column by group and grid cell, in turn; ``grid[i]`` is the grid cell of counter i.

        The cells of a grid are numbered from 0, and its last cell is that of its last counter.
        """
        ...

    def tally_categories(
        self,
        columns: Sequence[CategoryColumn],
        n_categories: Sequence[int],
        grids: Sequence[NDArray[np.int32]],
        grouping: Grouping,
    ) -> Iterator[Tally]:
        """The same of categories, whose counters are those of ``count_categories``."""
        ...

    def sort(self, values: Any, *, overwrite: bool = False) -> NDArray[Any]:
        """The finite values in ascending order, on the host, wherever they were.

        They may take the place of the values with ``overwrite``, which saves the memory of a copy.
        """
        ...

    def ks_sorted(self, reference: NDArray[Any], current: NDArray[Any]) -> float:
        """Largest absolute difference of two empirical CDFs, from sorted finite values of one dtype.

        0 where a side is empty.
        """
        ...

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], *, together: int = 1) -> Iterator[Any]:
        """``function`` of each item, in order, spread over the backend's host threads, so many items at a time."""
        ...


def get_backend(
    name: str | Backend = "auto", *, threads: int | None = None, device_memory_bytes: int | None = None
) -> Backend:
    """The device that counts.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda", "cuda:0", "cuda:1", ...} or Backend
        ``"auto"`` reads the environment variable GPUDRIFT_DEVICE, else takes the first GPU, or the CPU where that
        cannot be used or refuses to count a first value, and logs once why; what fails later is raised. ``"cuda"``
        never falls back: it counts columns on the GPU that they lie on, else on the first. ``"cuda:1"`` counts on the
        second alone. A Backend is returned as it is.
    threads : int, optional
        Host threads; all processors this process may use by default. A Dask worker gives its own.
    device_memory_bytes : int, optional
        Most that gpudrift itself takes of a GPU's memory. By default what GPUDRIFT_DEVICE_MEMORY says (``2GiB``,
        ``512MiB``, bytes), else 1 GiB or half of what the GPU has.

    Raises
    ------
    BackendUnavailable
        For ``"cuda"`` where it cannot be used, or has no such GPU: why, and what to do.
    ConfigError
        For another name, fewer than one thread, or memory that is too little or more than the GPU has.

    Notes
    -----
    The driver is asked. Without a GPU nothing of CUDA is imported, and no context is made before the first count.

    Examples
    --------
    >>> get_backend("cpu").name
    'cpu'
    """
    if not isinstance(name, str):
        if not hasattr(name, "count_cells"):
            raise ConfigError(f"backend must be auto, cpu, cuda, a GPU such as cuda:1, or a Backend, got {name!r}")
        return name
    if threads is not None and (not isinstance(threads, int) or isinstance(threads, bool) or threads < 1):
        raise ConfigError(f"threads must be a whole number >= 1, got {threads!r}")
    chosen = choose(name)
    from gpudrift_kernels.cpu.backend import CpuBackend, available_processors

    threads = threads or available_processors()
    cpu = CpuBackend(threads)
    if chosen.device is None:
        if chosen.reason is not None:
            found = driver()
            # a warning where there is a GPU that goes unused, or a driver that fails
            say_once(chosen.reason, logging.WARNING if found.devices or found.broken else logging.INFO)
        return cpu
    limit = memory_limit(chosen.device, device_memory_bytes)
    from gpudrift_kernels.cuda.backend import CudaBackend

    gpu = CudaBackend(chosen.device, threads=threads, memory_bytes=limit, pinned=chosen.pinned)
    if not chosen.may_fall_back:
        return gpu
    from gpudrift_kernels.auto import AutoBackend

    return AutoBackend(gpu, cpu, chosen.device.ordinal)


class Choice(NamedTuple):
    """What the name of a device means on this machine.

    Attributes
    ----------
    device : the GPU that counts; None: the CPU.
    pinned : no other GPU may.
    may_fall_back : the CPU may, where the GPU refuses.
    reason : why "auto" takes no GPU.
    """

    device: Device | None
    pinned: bool = False
    may_fall_back: bool = False
    reason: str | None = None


def choose(name: str) -> Choice:
    """Where ``get_backend(name)`` counts, GPUDRIFT_DEVICE included; no backend is made.

    Raises
    ------
    BackendUnavailable
        For a GPU that is asked for and cannot be used.
    ConfigError
        For another name.
    """
    wanted = os.environ.get("GPUDRIFT_DEVICE") if name == "auto" else None
    asked, source = (wanted, "GPUDRIFT_DEVICE") if wanted else (name, "backend")
    kind, colon, ordinal = asked.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (colon and not (kind == "cuda" and _is_ordinal(ordinal))):
        raise ConfigError(f"{source} must be auto, cpu, cuda or a GPU such as cuda:1, got {reprlib.repr(asked)}")
    if kind == "cpu":
        return Choice(None)
    if (reason := why_no_cuda()) is not None:
        if kind == "auto":
            return Choice(None, reason=reason)
        raise BackendUnavailable(f"{source} {asked!r} cannot be used: {reason}. Or use 'cpu' or 'auto'")
    devices = driver().devices
    if colon and int(ordinal) >= len(devices):
        raise BackendUnavailable(
            f"{source} {asked!r} cannot be used: the NVIDIA driver sees {len(devices)} GPU(s), from cuda:0; "
            "see CUDA_VISIBLE_DEVICES"
        )
    return Choice(devices[int(ordinal or 0)], pinned=bool(colon), may_fall_back=kind == "auto")


def why_no_cuda() -> str | None:
    """Why no GPU can count here, with the remedy; None where one can."""
    if (reason := obstacle()) is not None:
        return reason
    try:
        import gpudrift_kernels.cuda.backend  # noqa: F401
    except BROKEN as error:  # all of it is installed, in versions that do not fit each other
        return f"numba-cuda cannot be imported ({' '.join(str(error).split())}): {INSTALL_LINE}"
    return compiler_missing()


def _is_ordinal(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 4


def say_once(reason: str, level: int) -> None:
    """Log why "auto" takes the CPU: once a process, whichever thread comes first."""
    if _SAID.setdefault(reason, mark := object()) is mark:
        _log.log(level, "counting on the CPU: %s", reason)
