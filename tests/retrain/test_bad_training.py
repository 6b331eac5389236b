"""What can go wrong in training: one clear line, and the model that served before is unchanged."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import gpudrift as gd

from .conftest import QUICK, fails, month, trainer_of

STEPS = ("logistic", "forest", "xgboost", "torch")


@pytest.mark.parametrize("name", QUICK)
def test_one_class_only(name: str) -> None:
    rows = {**month(1), "late": np.zeros(800, bool)}
    message = "target 'late' holds only class 'false'; pass rows of two classes or more"
    fails(gd.DataError, message, lambda: trainer_of(name).fit(rows, target="late"))


@pytest.mark.parametrize("name", STEPS)
def test_an_update_of_one_class_needs_the_replay(name: str) -> None:
    trainer = trainer_of(name)
    model = trainer.fit(month(1), target="late")
    rows = {**month(2), "late": np.zeros(800, bool)}
    message = "no row of class 'true' is among the new and replayed rows; pass more rows, or replay=None"
    for how in trainer.capabilities:
        fails(gd.DataError, message, partial(trainer.update, model, rows, target="late", replay=0, how=how))


@pytest.mark.parametrize("name", QUICK)
def test_a_new_class(name: str) -> None:
    trainer = trainer_of(name)
    rows = month(1)
    rows["late"] = np.where(rows["late"], "late", "early")
    model = trainer.fit(rows, target="late")
    message = "'late' holds class 'lost' in the new data, new to the model; fit anew to learn it"
    fails(
        gd.DataError,
        message,
        lambda: trainer.update(model, {**rows, "late": np.full(800, "lost")}, target="late"),
    )


def test_a_feature_without_a_value(ridge: gd.Model) -> None:
    rows = month(2)
    rows["rain"][:] = np.nan
    message = "feature 'rain' has no value in the new data; repair it, or fit without it"
    fails(gd.DataError, message, lambda: trainer_of("ridge").update(ridge, rows, target="late"))
    model = trainer_of("ridge").fit(rows, target="late")
    assert list(map(str, model.problems)) == ["rain: has no value; it is left out"]
    assert model.features.names == ["wind", "carrier"]
    rows = {"rain": rows["rain"], "late": rows["late"]}
    message = "no feature is left to learn from (rain: has no value; it is left out); pass columns that vary"
    fails(gd.DataError, message, lambda: trainer_of("ridge").fit(rows, target="late"))


COLUMNS = {
    "no target": ({"target": "Late"}, "training data has no column 'Late': did you mean 'late'?"),
    "no weights": ({"target": "late", "weights": "w"}, "training data has no column 'w': there is 'rain', "),
    "a target of lists": (
        {"target": "nested"},
        "target 'nested' is list<item: int64>, neither a number nor a class; cast",
    ),
    "a target of mixed types": ({"target": "mixed"}, "mixed: cannot be read in the training data: "),
    "weights below 0": (
        {"target": "late", "weights": "wind"},
        "weights hold a negative, infinite or missing value; give every row",
    ),
    "weights of text": ({"target": "late", "weights": "carrier"}, "weights 'carrier' are string, not numbers; cast"),
    "weights that are no numbers": ({"target": "late", "weights": ["a"] * 800}, "weights are no numbers (could not "),
    "weights of 0": ({"target": "late", "weights": [0.0] * 800}, "every row weighs 0; give some a weight above 0"),
    "too few weights": (
        {"target": "late", "weights": [1.0]},
        "weights have shape (1,) for 800 rows; pass one number a ",
    ),
}


@pytest.mark.parametrize(("request_of", "message"), COLUMNS.values(), ids=COLUMNS)
def test_columns_that_are_not_there_or_not_usable(request_of: dict[str, Any], message: str) -> None:
    rows = {**month(1), "nested": [[1]] * 800, "mixed": [1, "a"] * 400}
    with pytest.raises(gd.DataError) as raised:
        trainer_of("ridge").fit(rows, **request_of)
    assert str(raised.value).startswith(message)


def test_columns_that_no_model_should_see_are_named() -> None:
    rows = month(1)
    rows["when"] = np.arange(800).astype("datetime64[h]")
    rows["id"] = np.char.add("flight ", np.arange(800).astype(str))
    rows["same"] = np.ones(800)
    problems = [str(problem) for problem in trainer_of("ridge").fit(rows, target="late").problems]
    assert problems == [
        "id: hardly ever repeats a value; it is left out; group its values to use it",
        "same: has one value; it is left out",
        "when: is timestamp[s], which no model can extrapolate; derive a number or a category from it to use it",
    ]


def test_a_new_category_is_other_and_named(ridge: gd.Model) -> None:
    rows = month(2)
    rows["carrier"][:7] = "XX"
    updated = trainer_of("ridge").update(ridge, rows, target="late")
    message = "carrier: holds categories without a code in 7 rows; they are taken as other; fit in full to learn them"
    assert list(map(str, updated.problems)) == [message]


@pytest.mark.parametrize("name", QUICK)
def test_too_few_rows(name: str) -> None:
    message = "20 labelled rows are too few to learn from; pass 30 or more"
    fails(gd.DataError, message, lambda: trainer_of(name).fit(month(1, 20), target="late"))


def test_rows_without_a_label_are_left_out() -> None:
    rows = month(1)
    rows["late"] = np.where(np.arange(800) % 2, None, rows["late"])
    model = trainer_of("ridge").fit(rows, target="late")
    assert model.cost.rows == 400


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("sentinel", [3e38, 1.7976931348623157e308], ids=["of float32", "of float64"])
def test_a_number_that_overflows_is_missing(name: str, sentinel: float) -> None:
    trainer, spoilt, gaps = trainer_of(name), month(2), month(2)
    spoilt["rain"][::50], gaps["rain"][::50] = sentinel, np.nan
    model = trainer.fit(month(1), target="late")
    assert np.array_equal(model.predict_proba(spoilt), model.predict_proba(gaps))
    newer, other = (trainer.update(model, rows, target="late") for rows in (spoilt, gaps))
    assert np.array_equal(newer.predict_proba(gaps), other.predict_proba(gaps))
    if sentinel > 1e150:  # a smaller one widens the scale of a fit
        full, other = (trainer.fit(rows, target="late") for rows in (spoilt, gaps))
        assert np.array_equal(full.predict_proba(gaps), other.predict_proba(gaps))


@pytest.mark.parametrize("name", QUICK)
def test_weights_that_overflow(name: str) -> None:
    trainer = trainer_of(name)
    message = "weights reach 1e+300, beyond what every learner holds; divide them all"
    fails(gd.DataError, message, lambda: trainer.fit(month(1), target="late", weights=np.full(800, 1e300)))
    message = "the weights add up to 8e-298, which is 0 to a learner of 32 bits; multiply them all"
    fails(gd.DataError, message, lambda: trainer.fit(month(1), target="late", weights=np.full(800, 1e-300)))


@pytest.mark.parametrize("shape", [(5,), (12_001,), (12_000, 2)])
@pytest.mark.parametrize("name", ["ridge", "xgboost"])  # which cuts anchors of so many rows
def test_weights_of_another_shape(name: str, shape: tuple[int, ...]) -> None:
    message = f"weights have shape {shape} for 12,000 rows; pass one number a row"
    fails(
        gd.DataError,
        message,
        lambda: trainer_of(name).fit(month(1, 12_000), target="late", weights=np.ones(shape)),
    )


@pytest.mark.parametrize("name", ["ridge", "forest", "xgboost", "torch"])
def test_labels_that_overflow_or_are_none(name: str) -> None:
    trainer, rows = trainer_of(name), month(1)
    rows["fare"] = 1e300 * rows["rain"]
    largest = f"{np.abs(rows['fare']).max():.3g}"
    message = f"'fare' reaches {largest} in the training data, and its square overflows; scale it"
    fails(gd.DataError, message, lambda: trainer.fit(rows, target="fare"))
    rows["fare"] = np.full(800, np.nan)
    fails(gd.DataError, "no row has a label; pass rows with one", lambda: trainer.fit(rows, target="fare"))


def test_an_infinite_label_is_no_class() -> None:
    trainer = gd.get_trainer("ridge", device="cpu", task="classification")
    rows = {**month(1), "late": month(1)["late"].astype(float)}
    expected = trainer.fit({**rows, "late": np.where(np.arange(800) % 9, rows["late"], np.nan)}, target="late")
    for label in (np.inf, -np.inf):
        model = trainer.fit({**rows, "late": np.where(np.arange(800) % 9, rows["late"], label)}, target="late")
        assert model.target.classes == ("0", "1")
        assert model.id == expected.id


def test_a_target_that_is_no_name() -> None:
    message = "training data has no column None: there is 'rain', 'wind', 'carrier', 'late'"
    fails(gd.DataError, message, lambda: gd.get_trainer("ridge").fit(month(1), target=None))  # type: ignore[arg-type]


def test_a_loss_that_is_not_a_number() -> None:
    def broken(n_numbers: int, sizes: Any, n_outputs: int) -> Any:
        from torch import nn

        class Broken(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layer = nn.Linear(n_numbers, n_outputs)

            def forward(self, numbers: Any, codes: Any) -> Any:
                return self.layer(numbers)  # its NaN for what is missing goes through

        return Broken()

    with pytest.raises(
        gd.TrainingError, match=r"^the validation loss became nan in epoch 1; lower learning_rate \(it is"
    ):
        gd.get_trainer("torch", device="cpu", network=broken).fit(month(1), target="late")


@pytest.mark.parametrize("name", ["torch", "sklearn"])
def test_an_update_that_diverges(name: str) -> None:
    from sklearn.linear_model import SGDClassifier

    wild: dict[str, dict[str, Any]] = {
        "torch": {"learning_rate": 1e4, "shrink": 1.0, "hidden": (32,)},
        "sklearn": {"estimator": SGDClassifier(loss="log_loss", learning_rate="constant", eta0=1e6)},
    }
    calm = SGDClassifier(loss="log_loss", random_state=0)
    rows = month(1)
    trainer = trainer_of("torch") if name == "torch" else gd.get_trainer("sklearn", estimator=calm)
    model = trainer.fit(rows, target="late")
    if name == "sklearn":
        model.state.set_params(learning_rate="constant", eta0=1e6)
    before = model.predict_proba(rows)
    with pytest.raises(gd.TrainingError, match=r"the update diverged: its loss on its own rows went from|became nan"):
        gd.get_trainer(name, device="cpu", **wild[name]).update(model, month(2), target="late")
    assert np.array_equal(model.predict_proba(rows), before)
