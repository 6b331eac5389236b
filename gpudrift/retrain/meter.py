"""Meter: measures what a fit takes."""

from __future__ import annotations

import re
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from gpudrift.store import Cost

_STATUS: Final = Path("/proc/self/status")
_lock = threading.Lock()


class Meter:
    """Measures a block: ``with Meter("cpu") as meter: ...; meter.cost(rows)``."""

    def __init__(self, device: str) -> None:
        self._device = device

    def __enter__(self) -> Meter:
        cuda = _torch_cuda() if self._device == "cuda" else None
        if cuda is not None:
            cuda.synchronize()
            cuda.reset_peak_memory_stats()
        elif self._device == "cpu":
            _reset_peak()
        self._device_start = time.process_time()
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device == "cuda" and error is None and (cuda := _torch_cuda()) is not None:
            cuda.synchronize()
        self._wall = time.perf_counter() - self._start
        self._device_s = self._wall if self._device == "cuda" else time.process_time() - self._device_start

    def cost(self, rows: int) -> Cost:
        """What the block took."""
        if self._device == "cuda":
            cuda = _torch_cuda()
            return Cost(self._wall, self._device_s, rows, 0 if cuda is None else int(cuda.max_memory_allocated()))
        return Cost(self._wall, self._device_s, rows, _peak())


def _reset_peak() -> None:
    """Set the process's high-water mark back to what it holds now, where the kernel allows it."""
    with _lock:
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            return


def _peak() -> int:
    """The process's high-water mark in bytes."""
    if _STATUS.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
        if found:
            return int(found[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _torch_cuda() -> Any:
    """None where there is no PyTorch for GPUs: ridge, forest and xgboost do without, and end with a transfer back."""
    if find_spec("torch") is None:
        return None
    import torch

    return torch.cuda if torch.version.cuda is not None else None
