from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gpudrift.stats
from gpudrift.stats import STATISTICS


def test_thresholds_are_those_of_the_documentation() -> None:
    assert {name: statistic.threshold for name, statistic in STATISTICS.items()} == {
        "psi": 0.1,
        "ks": 0.1,
        "js_distance": 0.1,
        "wasserstein": 0.1,
        "hellinger": 0.1,
        "cramers_v": 0.1,
        "missing_rate": 0.05,
        "new_rate": 0.05,
        "kl": None,
        "total_variation": None,
        "l_infinity": None,
        "mean_change": None,
        "std_change": None,
        "out_of_range": None,
    }
    assert STATISTICS["psi"].severe == 0.25


@pytest.mark.parametrize("name", STATISTICS)
def test_every_statistic_names_its_kinds_formula_and_source(name: str) -> None:
    statistic = STATISTICS[name]
    assert statistic.name == name
    assert statistic.kinds
    assert set(statistic.kinds) <= {"numeric", "categorical"}
    assert statistic.title
    assert statistic.formula
    assert statistic.bounds[0] < statistic.bounds[1]
    assert re.fullmatch(r"doi:10\.\d{4,5}/\S+|a convention of gpudrift", statistic.source)


def test_numeric_and_categorical_statistics_are_told_apart() -> None:
    only = {name: statistic.kinds[0] for name, statistic in STATISTICS.items() if len(statistic.kinds) == 1}
    numeric = ("ks", "wasserstein", "mean_change", "std_change", "out_of_range")
    assert only == dict.fromkeys(numeric, "numeric") | {"cramers_v": "categorical", "new_rate": "categorical"}


def test_a_statistic_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        STATISTICS["psi"].threshold = 0.2  # type: ignore[misc]


def test_every_name_of_the_public_page_exists() -> None:
    for name in gpudrift.stats.__all__:
        assert getattr(gpudrift.stats, name) is not None


def test_importing_the_statistics_loads_neither_scipy_nor_numba() -> None:
    code = "import sys, gpudrift.stats; print(sorted({'scipy', 'numba', 'pyarrow'} & set(sys.modules)))"
    root = Path(gpudrift.stats.__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), *filter(None, sys.path)])}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
