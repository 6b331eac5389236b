"""The device that tests of the CUDA kernels run on: a GPU, or Numba's simulator in a process of its own."""

from __future__ import annotations

import os
from typing import Final

from gpudrift_kernels.cuda.driver import Device, driver

#: Set before Numba is imported, so for a whole process. It proves logic, not synchronisation.
SIMULATED: Final = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
#: Few rows: for compute-sanitizer, which runs a kernel a hundred times slower.
SMALL: Final = SIMULATED or os.environ.get("GPUDRIFT_GPU_TESTS") == "small"


def device() -> Device:
    """The first GPU; two small multiprocessors where it is simulated."""
    return Device(0, "simulator", 1 << 30, (9, 0), 2, 8 << 10, 16 << 10) if SIMULATED else driver().devices[0]
