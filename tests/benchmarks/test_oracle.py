"""The oracle against what the peers themselves give, frozen."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import oracle
from benchmarks.harness import Contender
from benchmarks.peers import numpy as numpy_alone
from benchmarks.tables import numbers

# 2,000 rows of each shape, float64: numbers(4, "float64"). PSI, JS (base e) of evidently 0.7.23; JS (base 2) of
# nannyml 0.13.1; both with pandas 2.3.3 and NumPy 2.4.6.
EVIDENTLY = {
    "x0": (0.07726415817549838, 0.09725072410107724),
    "x1": (0.02417066663096635, 0.05693179544487648),
    "x2": (1.152004729909146, 0.25575738463624464),
    "x3": (0.06856173812276478, 0.09128333877258929),
}
NANNYML = {
    "x0": (None, 0.11614503283527043),
    "x1": (None, 0.1311803240468073),
    "x2": (None, 0.3330058588057142),
    "x3": (None, 0.11227643115050415),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    numbers(4, "float64")(tmp_path, 2_000)
    return tmp_path


@pytest.mark.parametrize(("convention", "frozen"), [("sturges", EVIDENTLY), ("doane", NANNYML)])
def test_it_gives_what_the_peers_gave(folder: Path, convention: str, frozen: dict[str, tuple[float, float]]) -> None:
    for name, drift in oracle.expected(folder, convention).items():
        assert drift[:2] == pytest.approx(frozen[name], abs=1e-9)


def test_a_result_by_another_convention_is_refused(folder: Path) -> None:
    work, describe = numpy_alone.drift(folder, way="fast")
    found = describe(work())
    assert oracle.check_drift(Contender("n", "numpy", "drift", convention="deciles"), found, folder) is None
    problem = oracle.check_drift(Contender("n", "numpy", "drift", convention="sturges"), found, folder)
    assert str(problem).startswith("x0: PSI is")
