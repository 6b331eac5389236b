"""How long does ``import gpudrift`` take, against importing NumPy alone, in fresh processes?"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from benchmarks.harness import compare, metadata


def run(rows: int, features: int, dtype: str | None, repeats: int) -> dict[str, Any]:
    """Whole processes: an empty one, one that imports NumPy, one that imports gpudrift."""
    seconds = compare(
        {
            "python": lambda: fresh("pass"),
            "numpy": lambda: fresh("import numpy"),
            "gpudrift": lambda: fresh("import gpudrift"),
        },
        max(repeats, 9),
    )
    print("startup of a fresh process")
    for name, figures in seconds.items():
        print(
            f"  {name:15} {figures['median_s'] * 1000:8.1f} ms  "
            f"[{figures['min_s'] * 1000:.1f}, {figures['max_s'] * 1000:.1f}]"
        )
    return {"question": "startup", "seconds": seconds} | metadata()


def fresh(statement: str) -> None:
    """Run one statement in a new interpreter."""
    subprocess.run([sys.executable, "-c", statement], check=True)
