"""Has counting become slow? ``python -m benchmarks.gate`` fails when a ratio to NumPy falls below its floor.

Ratios of one run do not depend on the machine much, and the floors lie at a third of what was measured, or lower: this
finds a lost kernel, not a lost percent. A ratio below its floor is measured once more, so that noise must strike twice.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Final

from gpudrift.bench import quick

FLOORS: Final[Mapping[quick.Question, tuple[str, float]]] = {
    quick.drift: (quick.PLAIN, 3.0),
    quick.exact_ks: (quick.PLAIN, 0.12),
    quick.count_column: (quick.TEN_BINS, 4.0),
    quick.count_batch: (quick.TEN_BINS, 0.03),
    quick.categories: (quick.VALUE_COUNTS, 0.1),
}
TRIES: Final = 2


def main() -> None:
    problems = list(broken(FLOORS))
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


def broken(floors: Mapping[quick.Question, tuple[str, float]], scale: float = 1.0) -> Iterable[str]:
    """One line for each question whose results disagree, or whose ratio stays below its floor."""
    for question, (baseline, floor) in floors.items():
        for _ in range(TRIES):
            standing = question(scale, lambda _: None)
            if standing.problem:
                yield f"{standing.question}: {standing.problem}"
                break
            ratio = standing.ratios[baseline]
            print(f"{standing.question}: {baseline} takes {ratio:.3g} times as long, at least {floor:g}", flush=True)
            if ratio >= floor:
                break
        else:
            yield f"{standing.question}: {baseline} takes only {ratio:.3g} times as long, less than {floor:g}"


if __name__ == "__main__":
    main()
