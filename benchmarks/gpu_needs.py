"""What a machine lacks for the GPU's tests and benchmarks, in one line: ``python -m benchmarks.gpu_needs numba cupy``.

Exits with 1 and the line, or with 0 where nothing lacks. It imports none of what it looks for, and runs under an older
Python than gpudrift does.
"""

import importlib.util
import sys

#: Module, and what installs it for CUDA 13.
PACKAGES = {"numba_cuda": '"numba-cuda[cu13]"', "cupy": "cupy-cuda13x"}
OLDEST_PYTHON = (3, 11)


def lacking(*modules: str) -> "str | None":
    """Why nothing can run on a GPU here, with the remedy: the Python, its modules, then the driver."""
    if sys.version_info < OLDEST_PYTHON:
        found, needed = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST_PYTHON))
        return (
            f"Python {needed} or newer is needed, and {sys.executable} is {found}: name another, GPU_PYTHON=python3.12"
        )
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    if absent:
        packages = " ".join(PACKAGES.get(module, module) for module in absent)
        return f"{', '.join(absent)} not found: {sys.executable} -m pip install {packages}"
    from gpudrift_kernels.cuda.availability import obstacle

    return obstacle()


if __name__ == "__main__":
    sys.exit(lacking(*sys.argv[1:]))
