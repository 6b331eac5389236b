"""One contender in a process, and an environment, of its own: ``python -m benchmarks.worker PEER FUNCTION SETTINGS``.

Requests come in on stdin and answers go out on what was stdout, one JSON object a line; whatever a library prints goes
to stderr. Needs nothing but the standard library, since the environments of peers have neither gpudrift nor its pins.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    peer, function, settings = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    contender = Contender(peer, function, settings)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(contender, request.pop("verb"))(**request)
        except Exception as error:  # noqa: BLE001  whatever a library raises must not end the whole run
            answer = {"error": f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"}
        answers.write(json.dumps(answer) + "\n")


class Contender:
    """The verbs of a worker."""

    def __init__(self, peer: str, function: str, settings: dict[str, Any]) -> None:
        self._peer, self._function, self._settings = peer, function, settings
        self._work: Callable[[], Any] = lambda: None
        self._describe: Callable[[Any], Any] = lambda result: result
        self._result: Any = None

    def prepare(self, folder: str) -> dict[str, Any]:
        """Import the peer, read its inputs from the folder: all that is not timed."""
        self._result = None
        self._work = lambda: None
        gc.collect()
        module = importlib.import_module(f"benchmarks.peers.{self._peer}")
        self._work, self._describe = getattr(module, self._function)(Path(folder), **self._settings)
        return {"version": getattr(module, "VERSION", None)}

    def run(self, times: int = 1) -> dict[str, Any]:
        """Time the work, the mean of so many calls, and the most memory it takes beyond what was there before."""
        self._result = None
        gc.collect()
        _wake_processors()
        reset = _reset_peak()
        before = _status("VmRSS")
        start = time.perf_counter()
        for _ in range(times):
            self._result = self._work()
        seconds = (time.perf_counter() - start) / times
        extra = _status("VmHWM") - before if reset else None
        return {"seconds": seconds, "extra_bytes": extra, "peak_bytes": _status("VmHWM")}

    def describe(self) -> Any:
        """The last result, as plain values."""
        return {"result": self._describe(self._result)}


def _wake_processors(seconds: float = 0.05) -> None:
    """Keep all of them busy for a moment, whoever is measured next.

    While one process is measured the others wait, and a processor that has slept, a virtual one above all, takes
    milliseconds to come back: as long as a whole call of some.
    """
    n, some = os.cpu_count() or 1, bytes(1 << 20)

    def busy(until: float) -> None:
        while time.perf_counter() < until:
            zlib.crc32(some)  # without the GIL

    with ThreadPoolExecutor(n) as pool:
        list(pool.map(busy, [time.perf_counter() + seconds] * n))


def _reset_peak() -> bool:
    """Let the peak start from what is resident now; Linux only."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status(field: str) -> int:
    """Bytes of a field of /proc/self/status; 0 where there is none."""
    try:
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))
    except (OSError, StopIteration):
        return 0


if __name__ == "__main__":
    main()
