"""Checks that every trainer passes: a list by name, to run on one of your own.

import pytest
from gpudrift.testing import TRAINER_CHECKS

@pytest.mark.parametrize("check", TRAINER_CHECKS.values(), ids=TRAINER_CHECKS)
def test_my_trainer(check):
    check(lambda: Trainer(MyLearner()))
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError, DataError
from gpudrift.retrain import Model, Trainer, load_model
from gpudrift.retrain.learner import CAPABILITIES

#: Makes a fresh trainer, always with the same seed.
MakeTrainer: TypeAlias = Callable[[], Trainer]
Frame: TypeAlias = dict[str, NDArray[Any]]


def check_trainer(make: MakeTrainer) -> None:
    """Run every check of ``TRAINER_CHECKS`` on a trainer.

    Parameters
    ----------
    make : callable
        Makes a fresh trainer, always with the same seed.

    Raises
    ------
    AssertionError
        A check failed; the message begins with its name.

    Examples
    --------
    >>> import gpudrift as gd
    >>> check_trainer(lambda: gd.get_trainer("ridge"))
    """
    for name, check in TRAINER_CHECKS.items():
        try:
            check(make)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def check_declares_what_it_can(make: MakeTrainer) -> None:
    """Capabilities are known ones, without repeats, and a full fit is always possible."""
    capabilities = make().capabilities
    _require(set(capabilities) <= set(CAPABILITIES), f"capabilities must be of {CAPABILITIES}, got {capabilities}")
    _require("full" in capabilities, "every trainer can fit in full")
    _require(len(set(capabilities)) == len(capabilities), f"capabilities repeat: {capabilities}")


def check_learns(make: MakeTrainer) -> None:
    """Rows that it has not seen are predicted far better than by chance."""
    model = _fitted(make())
    score = model.score(rows_for(model, seed=9))
    least = 0.8 if model.target.n_classes else -3.0  # AUC; minus the mean absolute error, where the label's scale is 10
    _require(score > least, f"score on new rows is {score:.3f}, not above {least}")


def check_predicts_each_row_in_order(make: MakeTrainer) -> None:
    """One prediction a row, the same for a row alone as among others; probabilities sum to 1."""
    model, rows = _fitted(make()), rows_of(200, seed=9)
    predicted = model.predict(rows)
    _require(len(predicted) == 200, f"{len(predicted)} predictions of 200 rows")
    for i in (0, 77, 199):
        alone = model.predict({name: values[i : i + 1] for name, values in rows.items()})
        _require(_close(alone, predicted[i : i + 1]), f"row {i} alone is predicted as {alone}, not {predicted[i]}")
    if model.target.n_classes:
        probabilities = model.predict_proba(rows)
        _require(
            probabilities.shape == (200, model.target.n_classes), f"probabilities have shape {probabilities.shape}"
        )
        _require(bool(np.allclose(probabilities.sum(axis=1), 1)), "probabilities do not sum to 1")
        _require(bool((probabilities >= 0).all()), "a probability is negative")


def check_same_seed_same_model(make: MakeTrainer) -> None:
    """Two fits on the same rows have the same id and the same predictions, to the bit."""
    first, second = _fitted(make()), _fitted(make())
    rows = rows_of(200, seed=9)
    _require(first.id == second.id, "ids differ")
    _require(np.array_equal(_raw(first, rows), _raw(second, rows)), "predictions differ")


def check_update_leaves_the_old_model(make: MakeTrainer) -> None:
    """An update gives a new model, whose parent is the old one, which predicts as before."""
    trainer = make()
    model, rows = _fitted(trainer), rows_of(200, seed=9)
    before = _raw(model, rows)
    for how in trainer.capabilities:
        newer = trainer.update(model, rows_for(model, seed=2), target="y", how=how)
        _require(np.array_equal(_raw(model, rows), before), f"update by {how} changed the old model")
        _require(newer.parent == model.id, f"update by {how} forgot its parent")
        _require(newer.how == how, f"update by {how} calls itself {newer.how}")
        _require(newer.features == model.features or how == "full", f"update by {how} changed the features")


def check_warm_is_about_cold(make: MakeTrainer) -> None:
    """An update on the rows that it was fitted on scores about as the fit did."""
    trainer = make()
    model = _fitted(trainer)
    rows = rows_for(model, seed=9)
    tolerance = 0.03 if model.target.n_classes else 1.0
    for how in trainer.capabilities:
        change = trainer.update(model, rows_for(model, seed=1), target="y", how=how).score(rows) - model.score(rows)
        _require(change > -tolerance, f"update by {how} on the same rows changed the score by {change:.3f}")


def check_update_learns(make: MakeTrainer) -> None:
    """An update on rows where all is the other way round, without those of the past, predicts such rows better."""
    trainer = make()
    model = _fitted(trainer)
    new, unseen = (_turned(rows_for(model, seed=seed)) for seed in (2, 9))
    before = model.score(unseen)
    for how in trainer.capabilities:
        after = trainer.update(model, new, target="y", replay=0, how=how).score(unseen)
        _require(after > before, f"update by {how} on other rows changed their score from {before:.3f} to {after:.3f}")


def check_rows_of_weight_0_do_not_count(make: MakeTrainer) -> None:
    """Most rows hold the wrong label and weigh 0: the score is about that without. A trainer may refuse weights."""
    model = _fitted(make())
    rows, weights, unseen = rows_for(model, seed=1), (np.arange(600) % 3 == 0).astype(float), rows_for(model, seed=9)
    turned = {**rows, "y": np.where(weights > 0, rows["y"], _turned(rows)["y"])}
    try:
        right, wrong = (make().fit(held, target="y", weights=weights).score(unseen) for held in (rows, turned))
    except ConfigError:
        return
    tolerance = 0.03 if model.target.n_classes else 1.0
    changed = f"changed the score from {right:.3f} to {wrong:.3f}"
    _require(wrong > right - tolerance, f"labels of rows that weigh 0 {changed}")


def check_unknown_is_refused(make: MakeTrainer) -> None:
    """A missing column and a new class are errors; a new column and a new category are not seen by the learner."""
    trainer = make()
    model, rows = _fitted(trainer), rows_of(60, seed=9)
    _refused(DataError, "numbers", lambda: model.predict({name: rows[name] for name in rows if name != "numbers"}))
    new = {**rows, "unheard": np.arange(60.0), "city": np.full(60, "Atlantis")}
    other = {**rows, "city": np.full(60, "Lemuria")}
    _require(np.array_equal(_raw(model, new), _raw(model, other)), "two new categories are predicted differently")
    if model.target.n_classes:
        labelled = {**rows_for(model, seed=2)}
        labelled["y"] = np.where(np.arange(len(labelled["y"])) == 5, "never", labelled["y"])
        _refused(DataError, "never", lambda: trainer.update(model, labelled, target="y"))


def check_refusals_name_what_is_possible(make: MakeTrainer) -> None:
    """Asking for another kind of update is an error that lists what the trainer can do, never a silent full fit."""
    trainer = make()
    model = _fitted(trainer)
    for how in CAPABILITIES:
        if how not in trainer.capabilities:
            request = partial(trainer.update, model, rows_for(model, seed=2), target="y", how=how)
            refusal = _refused(ConfigError, how, request)
            for possible in trainer.capabilities:
                _require(possible in refusal, f"refusing {how} does not name {possible}: {refusal}")


def check_saved_is_the_same(make: MakeTrainer) -> None:
    """A model that was saved and read predicts the same bits, has the same id, and can be updated alike."""
    trainer = make()
    model, rows = _fitted(trainer), rows_of(200, seed=9)
    with tempfile.TemporaryDirectory() as place:
        model.save(Path(place) / "model")
        loaded = load_model(Path(place) / "model", trainer=trainer)
    _require(loaded.id == model.id, "ids differ")
    _require(np.array_equal(_raw(loaded, rows), _raw(model, rows)), "predictions differ")
    new = rows_for(model, seed=2)
    first, second = (trainer.update(held, new, target="y") for held in (model, loaded))
    _require(first.id == second.id, "ids of updates differ")
    _require(bool(np.allclose(_raw(first, rows), _raw(second, rows), atol=1e-6)), "updates differ")


def check_cost_is_told(make: MakeTrainer) -> None:
    """A fit tells its rows, its seconds and its memory."""
    cost = _fitted(make()).cost
    _require(cost.rows == 600, f"cost tells {cost.rows} rows of 600")
    _require(cost.wall_s > 0 and cost.device_s >= 0 and cost.peak_bytes > 0, f"cost is {cost}")


#: The checks by name, in an order where the first failure tells most.
TRAINER_CHECKS: Final[Mapping[str, Callable[[MakeTrainer], None]]] = MappingProxyType(
    {
        check.__name__.removeprefix("check_"): check
        for check in (
            check_declares_what_it_can,
            check_learns,
            check_predicts_each_row_in_order,
            check_same_seed_same_model,
            check_update_leaves_the_old_model,
            check_warm_is_about_cold,
            check_update_learns,
            check_rows_of_weight_0_do_not_count,
            check_unknown_is_refused,
            check_refusals_name_what_is_possible,
            check_saved_is_the_same,
            check_cost_is_told,
        )
    }
)


def rows_of(n_rows: int, *, seed: int) -> Frame:
    """Two numbers, one with gaps, and a category."""
    rng = np.random.default_rng(seed)
    gaps = rng.normal(3.0, 2.0, n_rows)
    gaps[rng.random(n_rows) < 0.1] = np.nan
    cities = np.array(["Lima", "Oslo", "Pune", "Riga"])[rng.integers(0, 4, n_rows)]
    return {"numbers": rng.normal(size=n_rows), "gaps": gaps, "city": cities}


def rows_for(model: Model, *, seed: int) -> Frame:
    """600 of the same with a label ``y`` of the kind that the model predicts."""
    return _labelled(seed, numeric=model.target.n_classes is None)


def _labelled(seed: int, *, numeric: bool) -> Frame:
    """Classes "no" and "yes", or numbers of standard deviation 10."""
    rows = rows_of(600, seed=seed)
    noise = np.random.default_rng(seed + 1000).normal(size=600)
    signal = 2 * rows["numbers"] - np.nan_to_num(rows["gaps"] - 3, nan=0.0) + 2 * (rows["city"] == "Oslo") + noise / 2
    return {**rows, "y": 3 * signal if numeric else np.where(signal > 0.5, "yes", "no")}


def _turned(rows: Frame) -> Frame:
    """The same with the other class, or the number of the other sign."""
    y = rows["y"]
    return {**rows, "y": -y if y.dtype.kind == "f" else np.where(y == "yes", "no", "yes")}


def _fitted(trainer: Trainer) -> Model:
    numeric = "classification" not in trainer.learner.tasks or trainer.settings.task == "regression"
    return trainer.fit(_labelled(1, numeric=numeric), target="y")


def _raw(model: Model, rows: Frame) -> NDArray[Any]:
    return model.predict_proba(rows) if model.target.n_classes else model.predict(rows)


def _close(a: NDArray[Any], b: NDArray[Any]) -> bool:
    return bool(np.allclose(a, b, rtol=1e-5) if a.dtype.kind == "f" else np.array_equal(a, b))


def _require(held: bool, otherwise: str) -> None:
    if not held:
        raise AssertionError(otherwise)


def _refused(kind: type[Exception], naming: str, request: Callable[[], Any]) -> str:
    try:
        request()
    except kind as error:
        _require(naming in str(error), f"the refusal does not name {naming!r}: {error}")
        return str(error)
    raise AssertionError(f"what should be refused with {kind.__name__} naming {naming!r} was done")
