"""What the GPU's benchmarks and make targets say on a machine that cannot run them: one line, and no traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import gpu, gpu_needs
from gpudrift_kernels.cuda import availability
from gpudrift_kernels.cuda.driver import Driver

_REPOSITORY = Path(__file__).resolve().parents[2]
_NO_GPU = "the NVIDIA driver sees no GPU"


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "driver", lambda: Driver((13, 0), (), _NO_GPU))


def _run(*command: str, hidden: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run in the repository, where ``hidden`` modules are as good as not installed."""
    hide = f"""
import sys
from importlib.machinery import PathFinder
class Hidden(PathFinder):
    @classmethod
    def find_spec(cls, name, *arguments):
        if name in {hidden!r}:
            return None
        return super().find_spec(name, *arguments)
sys.meta_path[sys.meta_path.index(PathFinder)] = Hidden
import runpy
sys.argv = {list(command)!r}
runpy.run_module({command[0]!r}, run_name="__main__")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (_REPOSITORY, _REPOSITORY / "kernels")))}
    return subprocess.run(
        [sys.executable, "-c", hide], cwd=_REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As from a terminal, even where make runs these tests."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments], cwd=_REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (("numpy", "numba", "numba_cuda", "cupy"), "numpy, numba, numba_cuda, cupy not found: {} -m pip install numpy "
         'numba "numba-cuda[cu13]" cupy-cuda13x'),
        (("numba_cuda", "cupy"), 'numba_cuda, cupy not found: {} -m pip install "numba-cuda[cu13]" cupy-cuda13x'),
    ],
)  # fmt: skip
def test_the_benchmark_names_every_package_that_lacks_and_how_to_install_it(hidden: tuple[str, ...], said: str) -> None:
    ran = _run("benchmarks.gpu", hidden=hidden)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == f"nothing is measured: {said.format(sys.executable)}\n"


@pytest.mark.usefixtures("no_gpu")
def test_the_benchmark_without_a_gpu_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu"])
    monkeypatch.setattr(gpu, "NEEDED", ())
    with pytest.raises(SystemExit) as left:
        gpu.main()
    assert left.value.code == f"nothing is measured: {_NO_GPU}"


@pytest.mark.usefixtures("no_gpu")
def test_where_the_result_cannot_go_is_said_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for out in (tmp_path, tmp_path / "absent" / "result.json"):
        monkeypatch.setattr(sys, "argv", ["gpu", "--out", str(out)])
        with pytest.raises(SystemExit) as left:
            gpu.main()
        assert left.value.code == f"--out {out} cannot be written: name a file in a folder that can"


@pytest.mark.parametrize(("option", "value", "least"), [("--rows", "0", "1,000"), ("--repeats", "-3", "1")])
def test_a_number_that_measures_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str, value: str, least: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu", f"{option}={value}"])
    with pytest.raises(SystemExit):
        gpu.main()
    assert capsys.readouterr().err.endswith(f"argument {option}: must be >= {least}, got {value}\n")


@pytest.mark.usefixtures("no_gpu")
def test_an_older_python_is_named_before_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpu_needs.lacking("sys") == _NO_GPU
    monkeypatch.setattr(sys, "version_info", (3, 10, 12))
    said = f"Python 3.11 or newer is needed, and {sys.executable} is 3.10: name another, GPU_PYTHON=python3.12"
    assert gpu_needs.lacking("no_such_module") == said


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on the PATH")
@pytest.mark.parametrize("target", ["gpu-test", "gpu-sanitize", "gpu-bench"])
def test_the_targets_of_make_say_what_lacks_and_stop(target: str, tmp_path: Path) -> None:
    bare = tmp_path / "python"  # without site-packages: no package is found
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o755)
    ran = _make(target, f"GPU_PYTHON={bare}")
    assert ran.returncode == 2
    assert ran.stdout == ""
    said, stopped = ran.stderr.splitlines()
    assert "numpy, numba, numba_cuda, cupy" in said
    assert ' -m pip install numpy numba "numba-cuda[cu13]" cupy-cuda13x' in said
    assert stopped.startswith("make: ***")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on the PATH")
def test_make_names_a_sanitizer_that_is_not_there(tmp_path: Path) -> None:
    ready = tmp_path / "python"  # as if the machine had all the rest
    ready.write_text("#!/bin/sh\nexit 0\n")
    ready.chmod(0o755)
    ran = _make("gpu-sanitize", f"GPU_PYTHON={ready}", "SANITIZER=no-such-sanitizer")
    assert ran.returncode == 2
    said, stopped = ran.stderr.splitlines()
    assert said.startswith("no-such-sanitizer not found: it comes with the CUDA toolkit")
    assert stopped.startswith("make: ***")
