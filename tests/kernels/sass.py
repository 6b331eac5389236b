"""Compile the CUDA kernels without a GPU, and read what a value costs off the machine code."""

from __future__ import annotations

import heapq
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Loop:
    """The path that most values take through one hot loop.

    Attributes
    ----------
    values : values of one pass: each is one shared atomic.
    instructions, shared : of one pass.
    """

    values: int
    instructions: int
    shared: int


@dataclass(frozen=True)
class Kernel:
    """One compiled kernel."""

    registers: int
    spilled_bytes: int
    shared_bytes: int
    instructions: tuple[str, ...]
    loops: tuple[Loop, ...]

    @property
    def doubles(self) -> int:
        """Instructions of float64 arithmetic, conversions included."""
        return sum(bool(re.search(r"\b(D(ADD|MUL|FMA|SETP|MNMX)|\w+\.F64\b)", text)) for text in self.instructions)


def tool(name: str) -> str:
    """Path of a tool of the CUDA toolkit: in the wheels, which fit the compilers, or on the PATH."""
    spec = find_spec("nvidia")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [str(path) for folder in folders for path in Path(folder).glob(f"*/bin/{name}")]
    path = next(iter(found), None) or shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name} was not found; tests/conftest.py says what installs it")
    return path


def compile_cuda(source: str, architecture: str, options: tuple[str, ...]) -> bytes:
    """Machine code of a CUDA C++ source."""
    from cupy_backends.cuda.libs import nvrtc

    program = nvrtc.createProgram(source, "histogram.cu", [], [])
    try:
        nvrtc.compileProgram(program, [f"-arch={architecture}", *options])
        return bytes(nvrtc.getCUBIN(program)) + b"\0"  # which CuPy takes for the end of a text
    except nvrtc.NVRTCError as error:
        raise AssertionError(nvrtc.getProgramLog(program)) from error


def assemble(ptx: str, architecture: str) -> bytes:
    """Machine code of PTX."""
    with tempfile.TemporaryDirectory() as folder:
        source, code = Path(folder) / "kernel.ptx", Path(folder) / "kernel.cubin"
        source.write_text(ptx)
        subprocess.run([tool("ptxas"), f"-arch={architecture}", str(source), "-o", str(code)], check=True)
        return code.read_bytes()


def read_kernel(code: bytes) -> Kernel:
    """What is in the machine code of one kernel."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(code)
        file.flush()
        used = _run(tool("cuobjdump"), "-res-usage", file.name)
        listing = _run(tool("nvdisasm"), "-c", file.name)
    figures = {name: int(value) for name, value in re.findall(r"(REG|STACK|SHARED):(\d+)", used)}
    instructions, labels = _parse(listing)
    return Kernel(
        registers=figures["REG"],
        spilled_bytes=figures["STACK"],
        shared_bytes=figures["SHARED"],
        instructions=tuple(instructions),
        loops=tuple(_loops(instructions, labels)),
    )


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _parse(listing: str) -> tuple[list[str], dict[str, int]]:
    """Instructions in order, and the place of each label among them."""
    instructions: list[str] = []
    labels: dict[str, int] = {}
    for line in listing.splitlines():
        if label := re.match(r"\s*(\.L_x_\d+):", line):
            labels[label[1]] = len(instructions)
        elif text := re.match(r"\s*/\*[0-9a-f]{4,}\*/\s+(.*?)\s*;", line):
            instructions.append(text[1])
    return instructions, labels


def _loops(instructions: list[str], labels: dict[str, int]) -> list[Loop]:
    """The shortest way round each loop that loads 16 bytes at a time: what leaves it early is the rare value."""
    loops = []
    for last, text in enumerate(instructions):
        target = _target(text, labels)
        if target is None or target > last:
            continue
        body = instructions[target : last + 1]
        if not any("LDG" in line and ".128" in line for line in body):
            continue
        path = [instructions[i] for i in _shortest(instructions, labels, target, last)]
        atomics = sum("ATOMS" in line for line in path)
        shared = sum(bool(re.search(r"\b(ATOMS|LDS|STS)", line)) for line in path)
        loops.append(Loop(atomics, len(path), shared))
    return loops


def _target(text: str, labels: dict[str, int]) -> int | None:
    """Where a branch goes."""
    found = re.search(r"\bBRA\b.*?`\((\.L_x_\d+)\)", text)
    return labels.get(found[1]) if found else None


def _shortest(instructions: list[str], labels: dict[str, int], first: int, last: int) -> list[int]:
    """Fewest instructions from one to another, staying between them; through every shared atomic on the way."""
    best: dict[int, tuple[int, int | None]] = {first: (0, None)}
    queue = [(0, first)]
    while queue:
        cost, i = heapq.heappop(queue)
        if i == last:
            break
        text, target = instructions[i], _target(instructions[i], labels)
        conditional = text.startswith("@") or re.search(r"\bBRA\s+!?U?P\d", text)
        following = ([] if target is not None and not conditional else [i + 1]) + ([] if target is None else [target])
        for j in following:
            weight = 1 + (1000 if "RED" in instructions[i] else 0)  # a value outside the table is a rare one
            if first <= j <= last and cost + weight < best.get(j, (1 << 30, None))[0]:
                best[j] = (cost + weight, i)
                heapq.heappush(queue, (cost + weight, j))
    path: list[int] = []
    at: Any = last
    while at is not None:
        path.append(at)
        at = best[at][1]
    return path[::-1]
