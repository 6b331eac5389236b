"""Start a contender in its own process, and talk to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
OWN_ENVIRONMENT: Final = ("gpudrift", "numpy", "scipy", "torch", "pandas", "polars", "arrow")
"""Peers whose pins are those of gpudrift run in its environment: the same NumPy beneath."""


class Unavailable(Exception):
    """A contender that cannot be measured, and why."""


def python_of(peer: str) -> Path:
    """The interpreter of a peer.

    Raises
    ------
    Unavailable
        It is not installed.
    """
    if peer in OWN_ENVIRONMENT:
        return Path(sys.executable)
    python = ROOT / ".peers" / peer.replace("_", "-") / "bin" / "python"
    if not python.exists():
        raise Unavailable("not installed; make bench-peers")
    return python


class Worker:
    """A running contender; a context, after which its process has ended."""

    def __init__(self, peer: str, function: str, settings: dict[str, Any]) -> None:
        places = [str(ROOT), str(ROOT / "kernels")]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(places), "DO_NOT_TRACK": "1"}
        command = [str(python_of(peer)), "-m", "benchmarks.worker", peer, function, json.dumps(settings)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            cwd=ROOT, env=environment,
        )  # fmt: skip
        self.extra_bytes: list[int] = []
        self.peak_bytes = 0

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, verb: str, **request: Any) -> dict[str, Any]:
        """Send a request, wait for the answer.

        Raises
        ------
        Unavailable
            The contender failed, or its process is gone.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"verb": verb, **request}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except OSError:
            line = ""
        if not line:
            code = self._process.wait()
            raise Unavailable("was killed, most likely for its memory" if code < 0 else f"ended with exit code {code}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Unavailable(f"failed: {answer['error']}")
        return answer

    def measured(self, times: int = 1) -> float:
        """Seconds of a call; its memory is kept."""
        answer = self.ask("run", times=times)
        if answer["extra_bytes"] is not None:
            self.extra_bytes.append(answer["extra_bytes"])
        self.peak_bytes = max(self.peak_bytes, answer["peak_bytes"])
        return float(answer["seconds"])
