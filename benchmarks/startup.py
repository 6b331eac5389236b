"""What does a fresh process wait for: the import, the first call, the second?

Every figure is the wall time of a whole process, or of a part of one as it saw it itself. The kernels were compiled by
an earlier process, except in the last line: that one has an empty cache, as on the first day.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.harness import line
from benchmarks.options import Options
from benchmarks.tables import numbers
from benchmarks.workers import ROOT, Unavailable, python_of
from gpudrift.bench import Timing, clocked, interleaved

IMPORTS: Final = {
    "python": ("gpudrift", "pass"),
    "import gpudrift": ("gpudrift", "import gpudrift"),
    "import numpy": ("numpy", "import numpy"),
    "import pandas": ("pandas", "import pandas"),
    "import scipy.stats": ("scipy", "import scipy.stats"),
    "import evidently": ("evidently", "import evidently"),
    "import nannyml": ("nannyml", "import nannyml"),
    "import alibi_detect.cd": ("alibi_detect", "import alibi_detect.cd"),
}
CALLS: Final = """
import sys, time
import numpy as np
tables = [{f"x{j}": x for j, x in enumerate(np.load(f"{sys.argv[1]}/{side}.npy"))} for side in ("reference", "current")]
times = [time.perf_counter()]
import gpudrift as gd
times.append(time.perf_counter())
for _ in range(2):
    gd.check_drift(reference=tables[0], current=tables[1])
    times.append(time.perf_counter())
print([b - a for a, b in zip(times, times[1:])])
"""


def run(options: Options) -> Iterator[dict[str, Any]]:
    """Imports of all, then the first and the second check_drift of a table in a fresh process."""
    print("startup: whole processes")
    found: dict[str, Any] = {}
    candidates = {}
    for name, (peer, statement) in IMPORTS.items():
        try:
            candidates[name] = clocked(partial(fresh, python_of(peer), "-c", statement))
        except Unavailable as reason:
            found[name] = {"unavailable": str(reason)}
    timings = interleaved(candidates, options.repeats)
    found = {name: timings[name].to_dict() if name in timings else found[name] for name in IMPORTS}
    _print(found)
    yield {"question": "startup", "case": {"what": "imports"}, "contenders": found}
    rows, features = options.rows or options.scaled(1_000_000), options.features or 8
    print(f"startup: check_drift of {rows:,} x {features} float32 in a fresh process")
    with TemporaryDirectory() as place, TemporaryDirectory() as cache:
        numbers(features, "float32")(Path(place), rows)
        parts = partial(calls, place)
        parts()  # compiles what is not compiled yet
        warm = [parts() for _ in range(options.repeats)]
        found = {
            name: _part([run[i] for run in warm])
            for i, name in enumerate(("import after NumPy", "first call", "second call"))
        }
        cold = calls(place, NUMBA_CACHE_DIR=cache)
        found["first call, nothing compiled"] = _part([cold[1]])
    _print(found)
    yield {
        "question": "startup",
        "case": {"what": "calls", "rows": rows, "features": features, "dtype": "float32"},
        "contenders": found,
    }


def calls(place: str, **environment: str) -> list[float]:
    """Seconds of the import, the first call and the second, in a fresh process."""
    found: list[float] = json.loads(fresh(Path(sys.executable), "-c", CALLS, place, **environment))
    return found


def fresh(python: Path, *arguments: str, **environment: str) -> str:
    """Run a new interpreter to its end.

    Raises
    ------
    RuntimeError
        It failed.
    """
    path = os.pathsep.join([str(ROOT), str(ROOT / "kernels")])
    done = subprocess.run(
        [python, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path} | environment,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments}: {(done.stderr.splitlines() or [''])[-1]}")
    return done.stdout


def _part(seconds: list[float]) -> dict[str, float]:
    return Timing(tuple(seconds), None).to_dict()


def _print(found: dict[str, Any]) -> None:
    show: Callable[..., None] = partial(print, flush=True)
    for name, figures in found.items():
        show("  " + line(name, figures))
