"""The rows that a model carries: half recent, half an exact sample of all history."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import gpudrift as gd
from gpudrift.retrain.reservoir import KEY, ROW, Reservoir, row_keys

from .conftest import QUICK, month


def filled(seed: int, size: int, pieces: list[int]) -> Reservoir:
    reservoir, start = Reservoir.empty(size=size, seed=seed), 0
    for n_rows in pieces:
        reservoir = reservoir.add(n_rows, lambda at, first=start: pa.table({"x": first + at}))
        start += n_rows
    return reservoir


def history(reservoir: Reservoir) -> NDArray[Any]:
    """Numbers of the rows in the uniform half."""
    assert reservoir.rows is not None
    order = np.argsort(reservoir.rows[KEY].to_numpy())
    return np.sort(reservoir.rows[ROW].to_numpy()[order[: reservoir.size // 2]])


def test_every_row_of_history_is_as_likely_as_any_other() -> None:
    # 3,000 draws of 10 of 50 rows: each is in 600 on average, binomial with deviation 21.9. The chi-square of 50 cells,
    # corrected for drawing without replacement, has 49 degrees of freedom: above 85.4 in one run of a thousand.
    counts = np.zeros(50)
    for seed in range(3_000):
        counts[history(filled(seed, 20, [20, 17, 13]))] += 1
    assert counts.sum() == 30_000
    chi_square = ((counts - 600) ** 2 / 600).sum() / (1 - 10 / 50) * 49 / 50
    assert chi_square < 85.4


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 5))
def test_pieces_do_not_matter(pieces: list[int], seed: int) -> None:
    whole, cut = filled(seed, 16, [sum(pieces)]), filled(seed, 16, pieces)
    assert whole.rows is not None
    assert cut.rows is not None
    assert cut.n_seen == whole.n_seen == sum(pieces)
    assert sorted(cut.rows["x"].to_pylist()) == sorted(whole.rows["x"].to_pylist())


@given(st.integers(0, 100), st.integers(0, 60))
def test_keys_depend_on_the_row_alone(start: int, length: int) -> None:
    assert np.array_equal(row_keys(3, start, start + length), row_keys(3, 0, start + length)[start:])


def test_half_is_recent_and_no_row_is_there_twice() -> None:
    rows = filled(0, 20, [30, 30]).rows
    assert rows is not None
    numbers = rows[ROW].to_pylist()
    assert set(range(50, 60)) <= set(numbers)
    assert len(set(numbers)) == len(numbers) <= 20
    assert rows["x"].to_pylist() == numbers


def test_fewer_rows_can_be_asked_for() -> None:
    reservoir = filled(0, 20, [60])
    few = reservoir.at_most(6)
    assert few is not None
    assert set(range(57, 60)) <= set(few[ROW].to_pylist())
    assert len(few) <= 6
    assert reservoir.at_most(0) is None


def test_a_replay_is_a_number_of_rows(winter: dict[str, Any], summer: dict[str, Any]) -> None:
    trainer = gd.get_trainer("logistic", device="cpu")
    model = trainer.fit(winter, target="late")
    expected = trainer.update(model, summer, target="late", replay=50)
    assert trainer.update(model, summer, target="late", replay=np.int64(50)).id == expected.id  # type: ignore[arg-type]
    for replay in (True, -1, 1.5, "50"):
        with pytest.raises(gd.ConfigError, match=rf"^replay must be a number of rows, 0 or more, got {replay!r}$"):
            trainer.update(model, summer, target="late", replay=replay)  # type: ignore[arg-type]


def test_a_reservoir_survives_its_file() -> None:
    reservoir = filled(3, 20, [60])
    again = Reservoir.from_bytes(reservoir.to_bytes())
    assert (again.size, again.seed, again.n_seen) == (20, 3, 60)
    assert again.rows is not None
    assert again.rows.equals(reservoir.rows)
    assert Reservoir.from_bytes(Reservoir.empty(size=4, seed=1).to_bytes()).rows is None


@pytest.mark.parametrize("name", ["logistic", "forest", "xgboost", "torch"])
def test_trainers_that_step_or_grow_carry_one(name: str) -> None:
    trainer = gd.get_trainer(name, device="cpu", replay_rows=100, **QUICK[name])
    model = trainer.update(trainer.fit(month(1), target="late"), month(2, 300), target="late")
    assert model.reservoir is not None
    assert model.reservoir.rows is not None
    assert model.reservoir.n_seen == 1_100
    assert len(model.reservoir.rows) <= 100
    assert model.reservoir.rows["rain"].to_pylist()[-1] == month(2, 300)["rain"][-1]


def test_exact_sums_carry_none_and_refuse_one(ridge: gd.Model, summer: dict[str, Any]) -> None:
    assert ridge.reservoir is None
    with pytest.raises(
        gd.ConfigError, match="ridge adds exact sums, and a replayed row would count twice; pass replay=0"
    ):
        gd.get_trainer("ridge").update(ridge, summer, target="late", replay=100)


def test_replay_keeps_the_past() -> None:
    trainer = gd.get_trainer("torch", device="cpu", update_epochs=8, pull=0.0, on_forgetting="tell", **QUICK["torch"])
    past, present = month(1, 2_000), month(2, 600, shift=-3.0)  # rain now means the opposite
    model = trainer.fit(past, target="late").with_anchors({"past": month(9)})
    with_replay, without = (trainer.update(model, present, target="late", replay=n) for n in (None, 0))
    assert with_replay.transfer is not None
    assert without.transfer is not None
    assert with_replay.transfer.worst > without.transfer.worst + 0.05


def test_the_pull_keeps_the_weights_near() -> None:
    past, present = month(1), month(2, 600, shift=-3.0)
    moved = []
    for pull in (0.0, 1.0):
        trainer = gd.get_trainer("torch", device="cpu", pull=pull, shrink=1.0, perturb=0.0, **QUICK["torch"])
        model = trainer.fit(past, target="late")
        newer = trainer.update(model, present, target="late", replay=0)
        moved.append(sum(float((newer.state.weights[k] - v).square().sum()) for k, v in model.state.weights.items()))
    assert moved[1] < moved[0] / 2


def test_anchors_are_carried_and_scored(winter: dict[str, Any], summer: dict[str, Any]) -> None:
    trainer = gd.get_trainer("ridge")
    model = trainer.fit(winter, target="late").with_anchors({"winter": month(7), "flipped": month(8, shift=-3.0)})
    newer = trainer.update(model, month(2, 4_000, shift=-3.0), target="late")
    assert newer.transfer is not None
    assert list(newer.transfer.changes) == ["winter", "flipped"]
    assert newer.transfer.changes["winter"] == pytest.approx(newer.score(month(7)) - model.score(month(7)))
    assert newer.transfer.worst == newer.transfer.changes["winter"] < 0 < newer.transfer.changes["flipped"]
    assert newer.transfer.mean == pytest.approx(sum(newer.transfer.changes.values()) / 2)
    assert newer.transfer.beyond(0.02) == ("winter",)
    assert str(trainer.due(newer)).startswith("anchor 'winter' lost 0.")
    assert model.transfer is None


def test_a_full_fit_is_due_after_so_many_warm_starts_or_a_gap(winter: dict[str, Any], summer: dict[str, Any]) -> None:
    trainer = gd.get_trainer("logistic", device="cpu", refit_every=2)
    model = trainer.fit(winter, target="late")
    for _ in range(2):
        assert trainer.due(model) is None
        model = trainer.update(model, summer, target="late")
    assert trainer.due(model) == "2 warm starts since the last full fit reach refit_every=2"
    patient = gd.get_trainer("logistic", device="cpu")
    assert patient.due(model) is None
    outgrown = patient.update(model, summer, target="late")
    assert patient.due(outgrown) == "updates brought 1,200 rows, more than the last full fit had (800)"
    fresh = trainer.update(model, summer, target="late", how="full")
    assert fresh.warm_starts == 0
    assert trainer.due(fresh, gap=0.001) is None
    assert trainer.due(fresh, gap=0.02) == "a full fit scores 0.0200 better, which passes gap_tolerance=0.005"
