"""``gpudrift doctor``: what this machine can run, and what is missing."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from gpudrift.cli.consoles import console, line
from gpudrift.errors import GpudriftError
from gpudrift.version import __version__

if TYPE_CHECKING:
    from gpudrift_kernels.cuda.driver import Device


def doctor() -> None:
    """Show devices, versions, and how to install what is missing."""
    screen = console()
    line(screen, f"gpudrift {__version__}, Python {platform.python_version()}, {platform.platform()}")
    _section(screen, "Devices", _devices())
    _section(screen, "Compiled kernels", _kernel_cache())
    _section(screen, "Packages", _packages())
    missing = _missing()
    _section(screen, "Not installed, and what installs it" if missing else "Nothing is missing", missing)


def _section(screen: Console, title: str, entries: dict[str, str]) -> None:
    line(screen, f"\n{title}", "bold")
    width = max((len(name) for name in entries), default=0)
    for name, value in entries.items():
        line(screen, f"  {name:{width}}  {value}")


def _devices() -> dict[str, str]:
    from gpudrift_kernels.auto import refusal
    from gpudrift_kernels.backend import get_backend, why_no_cuda
    from gpudrift_kernels.cuda.availability import has_cupy
    from gpudrift_kernels.cuda.driver import driver
    from gpudrift_kernels.cuda.memory import LEAST_BYTES

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = {"cpu": f"ready, on {usable} of {os.cpu_count()} processors"}
    # a driver that answers may refuse all the same, which only counting tells; least memory, whatever is set for it
    reason = why_no_cuda() or refusal(get_backend("cuda", device_memory_bytes=LEAST_BYTES), 0)
    slow = "" if has_cupy() else "; CuPy would make it faster"
    found["cuda"] = f"ready, on device 0{slow}" if reason is None else f"not available: {reason}"
    nvidia = driver()
    if nvidia.version is not None:
        found["driver"] = "NVIDIA, for CUDA {}.{}".format(*nvidia.version)
    for gpu in nvidia.devices:
        capability = "{}.{}".format(*gpu.capability)
        found[f"device {gpu.ordinal}"] = f"{gpu.name}, {gpu.memory_bytes / 2**30:.0f} GiB, compute {capability}"
    return found | _settings(nvidia.devices)


def _settings(devices: "Sequence[Device]") -> dict[str, str]:
    """What the environment says of GPUs, or what is wrong with it."""
    from gpudrift_kernels.backend import choose
    from gpudrift_kernels.cuda.memory import memory_setting

    found = {}
    gpu = devices[0] if devices else None
    if text := os.environ.get(name := "GPUDRIFT_DEVICE"):
        try:
            taken = choose("auto").device
            found[name] = f"{text}, so that 'auto' takes {f'device {taken.ordinal}' if taken else 'the CPU'}"
            gpu = taken or gpu
        except GpudriftError as error:
            found[name] = _mistake(name, error)
    if text := os.environ.get(name := "GPUDRIFT_DEVICE_MEMORY"):
        try:
            memory_setting(gpu)
            found[name] = f"{text} at most, of a GPU"
        except GpudriftError as error:
            found[name] = _mistake(name, error)
    return found


def _mistake(name: str, error: GpudriftError) -> str:
    return f"error: {str(error).removeprefix(f'{name} ')}"


def _kernel_cache() -> dict[str, str]:
    """The folder where Numba keeps compiled kernels; without one that can be written every process compiles anew."""
    from numba.core.dispatcher import Dispatcher

    from gpudrift_kernels.cpu import histogram

    kernels = [value for value in vars(histogram).values() if isinstance(value, Dispatcher)]
    path = next((path for kernel in kernels if (path := kernel.stats.cache_path)), None)
    if path is None:
        return {"folder": "none that can be written; set NUMBA_CACHE_DIR to one"}
    folder = Path(path)
    present = next(place for place in (folder, *folder.parents) if os.path.exists(place))
    if not os.access(present, os.W_OK):
        return {"folder": path, "state": "cannot be written; set NUMBA_CACHE_DIR to a folder that can"}
    return {"folder": path, "state": f"can be written, holds {len(list(folder.glob('*.nbc')))}"}


def _packages() -> dict[str, str]:
    from gpudrift.versions import PACKAGES, versions

    installed = versions()
    return {name: version for name in PACKAGES if (version := installed[name]) is not None}


def _missing() -> dict[str, str]:
    from gpudrift.versions import PACKAGES, versions

    installed = versions()
    return {name: _install_line(name, extra) for name, extra in PACKAGES.items() if installed[name] is None}


def _install_line(name: str, extra: str | None) -> str:
    if extra is None:
        return f"pip install {name}"
    return f'pip install "gpudrift[{extra}]"' if extra else "pip install gpudrift"
