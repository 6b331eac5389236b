"""Run benchmarks by name: ``python -m benchmarks drift --rows 10000000 --features 8 --dtype float32``."""

from __future__ import annotations

import argparse
import importlib
import json
import time
from pathlib import Path

from benchmarks.options import Options
from benchmarks.workers import ROOT
from gpudrift.bench import machine

QUESTIONS = ("drift", "exact_ks", "counting", "categorical", "parquet", "startup", "scaling")
ON_REQUEST = ("retrain", "calibration", "e_process")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = f"of {', '.join(QUESTIONS)}; all of these by default. Only by name: {', '.join(ON_REQUEST)}"
    parser.add_argument("names", nargs="*", metavar="NAME", help=names)
    parser.add_argument("--rows", type=int, help="one case of so many rows, instead of those of the question")
    parser.add_argument("--features", type=int)
    parser.add_argument("--dtype", choices=["float32", "float64"])
    parser.add_argument("--repeats", type=int, default=Options.repeats)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure there")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in (*QUESTIONS, *ON_REQUEST):
            parser.error(f"{name} is unknown: it can be {', '.join((*QUESTIONS, *ON_REQUEST))}")
    for option in ("rows", "features", "repeats"):
        if getattr(arguments, option) is not None and getattr(arguments, option) < 1:
            parser.error(f"--{option} must be >= 1, got {getattr(arguments, option)}")
    options = Options(arguments.rows, arguments.features, arguments.dtype, arguments.repeats, arguments.quick)
    described, results = machine(ROOT), []
    for name in arguments.names or QUESTIONS:
        start = time.monotonic()
        for result in importlib.import_module(f"benchmarks.{name}").run(options):
            results.append(result)
            if arguments.json:  # after every case: a run that is cut off keeps what it has
                whole = {"schema": 1, "quick": options.quick, "machine": described, "results": results}
                arguments.json.parent.mkdir(parents=True, exist_ok=True)
                arguments.json.write_text(json.dumps(whole, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        print(f"{name} took {time.monotonic() - start:,.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
