"""The gate on ratios."""

from __future__ import annotations

from benchmarks import gate
from gpudrift.bench import Timing, quick


def question(*ratios: float, problem: str | None = None) -> quick.Question:
    """A question whose ratio is each of these in turn."""
    left = list(ratios)

    def measured(scale: float, watch: quick.Watch) -> quick.Standing:
        timings: quick.Timings = {quick.OURS: Timing((1.0,), 0), "NumPy": Timing((left.pop(0),), 0)}
        return quick.Standing("counting", timings, 0, problem)

    return measured


def test_a_ratio_above_its_floor_passes() -> None:
    assert list(gate.broken({question(5): ("NumPy", 4)})) == []


def test_noise_must_strike_twice() -> None:
    assert list(gate.broken({question(3, 5): ("NumPy", 4)})) == []
    assert list(gate.broken({question(3, 2): ("NumPy", 4)})) == [
        "counting: NumPy takes only 2 times as long, less than 4"
    ]


def test_a_disagreement_fails_at_once() -> None:
    assert list(gate.broken({question(9, problem="x0: PSI is 1, not 2"): ("NumPy", 4)})) == [
        "counting: x0: PSI is 1, not 2"
    ]


def test_every_quick_question_has_a_floor_on_a_baseline_that_it_has() -> None:
    assert set(gate.FLOORS) == set(quick.QUESTIONS)
    floors = {question: (baseline, 0.0) for question, (baseline, _) in gate.FLOORS.items()}
    assert list(gate.broken(floors, scale=1e-3)) == []
