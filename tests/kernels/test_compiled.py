"""Kernels compile where no folder can be written."""

from __future__ import annotations

import pytest

import gpudrift_kernels.cpu.compiled as compiled


def test_a_kernel_works_without_a_folder_for_its_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*, nogil: bool, cache: bool = False) -> object:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(nogil=nogil)

    real = compiled.njit
    monkeypatch.setattr(compiled, "njit", refuses)

    @compiled.kernel
    def double(x: int) -> int:
        return x + x

    assert double(21) == 42
