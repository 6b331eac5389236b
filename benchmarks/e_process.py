"""How often does the e-process ever alarm without drift, and how soon with it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

import gpudrift as gd
from benchmarks.options import Options

#: Shares of four categories; the tolerance is .02, and windows hold 500 rows.
BEFORE: Final = (0.4, 0.3, 0.2, 0.1)
CASES: Final = {
    "no drift": (BEFORE, 0, 2000),
    "at the edge of the tolerance": ((0.38, 0.32, 0.18, 0.12), 0, 2000),
    "0.02 beyond the tolerance": ((0.36, 0.3, 0.2, 0.14), 0, 300),
    "0.02 beyond it, after 100 windows": ((0.36, 0.3, 0.2, 0.14), 100, 300),
}
WINDOWS: Final = 200


def run(options: Options) -> Iterator[dict[str, Any]]:
    """Share of streams of 200 windows with an alarm at alpha .05, and the median windows from the change to it."""
    rng = np.random.default_rng(0)
    profile = gd.profile({"side": np.repeat(np.array(list("abcd")), np.rint(np.array(BEFORE) * 1e5).astype(int))})
    found: dict[str, dict[str, float]] = {}
    print(f"e-process, alpha 0.05, {WINDOWS} windows of 500 rows")
    for name, (shares, change, streams) in CASES.items():
        delays = []
        for _ in range(streams):
            monitor = gd.EProcess(profile)
            for t in range(WINDOWS):
                counts = rng.multinomial(500, shares if t >= change else BEFORE)
                monitor.update(gd.Counts.gather(profile.profile_id, 500, [(0, counts, None)]))
                if monitor.alarm:
                    delays.append(t + 1 - change)
                    break
        found[name] = {"streams": streams, "alarms": len(delays) / streams}
        if delays:
            found[name]["median_delay"] = float(np.median(delays))
        print(f"  {name:36} {found[name]}")
    yield {"question": "e_process", "streams": found}
