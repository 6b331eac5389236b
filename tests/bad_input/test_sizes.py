"""Values, texts and tables of any size."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import gpudrift as gd

from .conftest import problems


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e307])
@pytest.mark.parametrize("exact", [False, True])
def test_values_at_either_end_of_the_doubles_have_the_distance_of_ordinary_ones(scale: float, exact: bool) -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.integers(0, 8, 2000).astype(float), rng.integers(1, 9, 2000).astype(float)
    expected = gd.check_drift(reference=reference, current=current, exact=True)["x"].wasserstein
    found = gd.check_drift(reference=reference * scale, current=current * scale, exact=exact)["x"].wasserstein
    assert found == pytest.approx(expected, rel=1e-2)


def test_whole_numbers_close_together_and_far_from_zero_keep_their_scale() -> None:
    rows = 10**15 + np.random.default_rng(0).integers(0, 100, 2000)
    for exact in (False, True):
        report = gd.check_drift(reference=rows, current=rows + 3, exact=exact)
        assert report["x"].wasserstein == pytest.approx(3 / np.std(rows - 10**15), rel=1e-9)
    assert len({b.label for b in report["x"].bins}) == 10


def test_a_million_categories_are_capped_and_the_rest_is_pooled() -> None:
    rng = np.random.default_rng(0)
    often = np.char.add("often ", rng.integers(0, 9, 500_000).astype(str))
    once = np.char.add("once ", np.arange(500_000).astype(str))
    texts = pa.array(np.concatenate([often, once]))
    champion = gd.profile({"x": texts})
    vocabulary = champion.plans[0].vocabulary.to_pylist()
    assert len(vocabulary) == 1024
    assert {f"often {k}" for k in range(9)} < set(vocabulary)
    report = champion.compare(champion.count({"x": texts.dictionary_encode()}))
    assert problems(report) == [
        "x: has more categories in the reference than are kept; the 1,024 most frequent are; "
        "the rest is pooled as other; group the values or drop the column"
    ]
    bins = {b.label: b.reference for b in report["x"].bins}
    assert sum(bins.values()) == 1_000_000
    assert bins["other"] >= 1_000_000 - 500_000 - 1024
    assert not report["x"].drifted


def test_long_texts_are_capped_by_their_bytes() -> None:
    texts = [f"{k} " + "x" * 50_000 for k in range(400)]
    report = gd.check_drift(reference={"x": texts}, current={"x": texts})
    assert problems(report)[1].startswith("x: has more categories in the reference than are kept; the 200 most ")


def test_wide_tables_are_compared_column_by_column() -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=(50, 300)), rng.normal(size=(50, 300))
    current[:, 7] += 5
    report = gd.check_drift(reference=reference, current=current)
    assert len(report) == 300
    assert report.drifted == ("x7",)
    assert report.problems == ()


WIDE = """
import re, time
from pathlib import Path
import numpy as np, pandas as pd, gpudrift as gd

def resident(line):
    return int(re.search(line + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

rng = np.random.default_rng(0)
names = [f"c{j}" for j in range(10_000)]
sides = [pd.DataFrame(rng.normal(size=(50, 10_000)), columns=names) for _ in range(2)]
gd.check_drift(reference=sides[0][names[:2]], current=sides[1][names[:2]])
before, start = resident("VmRSS"), time.perf_counter()
report = gd.check_drift(reference=sides[0], current=sides[1])
print(len(report), time.perf_counter() - start, resident("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_thousand_columns_take_seconds_and_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", WIDE], capture_output=True, text=True, check=True)
    n_features, _seconds, kib = done.stdout.split()
    assert int(n_features) == 10_000
    assert int(kib) < 1_000_000
