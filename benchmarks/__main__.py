"""Run benchmarks by name: ``python -m benchmarks drift --rows 10000000 --features 8 --dtype float32``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks import calibration, drift, e_process, retrain, startup

QUESTIONS = {
    "drift": drift.run,
    "retrain": retrain.run,
    "startup": startup.run,
    "calibration": calibration.run,
    "e_process": e_process.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(QUESTIONS)}; all by default")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--features", type=int, default=8)
    parser.add_argument("--dtype", choices=["float32", "float64"], help="both by default")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure there")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in QUESTIONS:
            parser.error(f"{name} is unknown: it can be {', '.join(QUESTIONS)}")
    if arguments.quick:
        arguments.rows //= 10
    results = [
        result
        for name in arguments.names or QUESTIONS
        for dtype in ([arguments.dtype] if arguments.dtype else ["float32", "float64"] if name == "drift" else [None])
        for result in [QUESTIONS[name](arguments.rows, arguments.features, dtype, arguments.repeats)]
    ]
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
