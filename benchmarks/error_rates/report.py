"""Tables and plots of a result: ``python -m benchmarks.error_rates.report [RESULT.json]``, by default the newest."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from benchmarks.error_rates.tables import README, write_readme

RESULTS: Final = Path(__file__).parent.parent / "results"


def newest() -> Path:
    """The committed result with the latest date."""
    found = sorted(RESULTS.glob("error-rates-*.json"))
    if not found:
        raise FileNotFoundError(f"{RESULTS} holds no error-rates-*.json; make error-rates writes one")
    return found[-1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.error_rates.report", description=__doc__)
    parser.add_argument("result", type=Path, nargs="?", help="JSON of a run")
    path = parser.parse_args().result or newest()
    result = json.loads(path.read_text(encoding="utf-8"))
    write_readme(result)
    from benchmarks.error_rates.figures import save_figures

    written = save_figures(result, README.parent / "figures")
    print(f"{path.name}: tables in {README.name}, {len(written)} files in figures")


if __name__ == "__main__":
    main()
