"""Interleaved calls."""

from __future__ import annotations

import pytest

from gpudrift.bench import Timing, clocked, interleaved
from gpudrift.bench.timing import Run


def taking(name: str, *seconds: float, log: list[str]) -> Run[str]:
    """A call that says it took each of these in turn, the last one for ever."""
    left = list(seconds)

    def run() -> tuple[float, str]:
        log.append(name)
        return left.pop(0) if len(left) > 1 else left[0], name

    return run


def test_candidates_take_turns_and_the_warm_up_is_not_counted() -> None:
    log: list[str] = []
    found = interleaved({"a": taking("a", 9, 1, log=log), "b": taking("b", 8, 2, log=log)}, 2)
    assert log == ["a", "b", "a", "b", "a", "b"]
    assert found["a"] == Timing((1, 1), "a")
    assert found["b"].to_dict() == {"median_s": 2, "min_s": 2, "max_s": 2, "calls": 2}


def test_a_slow_candidate_gets_fewer_calls() -> None:
    log: list[str] = []
    found = interleaved({"slow": taking("slow", 4, log=log), "fast": taking("fast", 1, log=log)}, 5, budget_s=10)
    assert (len(found["slow"].seconds), len(found["fast"].seconds)) == (2, 5)


def test_a_warm_up_beyond_the_budget_is_the_only_call() -> None:
    log: list[str] = []
    found = interleaved({"slow": taking("slow", 11, log=log)}, 5, budget_s=10)
    assert (log, found["slow"].seconds) == (["slow"], (11,))


def test_every_call_is_announced() -> None:
    seen: list[str] = []
    interleaved({"a": clocked(int), "b": clocked(int)}, 1, watch=seen.append)
    assert seen == ["a", "b", "a", "b"]


def test_a_clocked_call_gives_its_result_and_its_seconds() -> None:
    seconds, result = clocked(lambda: 7)()
    assert result == 7
    assert seconds >= 0


def test_the_median_is_robust_to_one_slow_call() -> None:
    assert Timing((1.0, 100.0, 2.0), None).median_s == pytest.approx(2)
