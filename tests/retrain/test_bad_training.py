"""What can go wrong in training: one clear line, and the model that served before is unchanged."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gpudrift as gd

from .conftest import QUICK, month

STEPS = ("logistic", "forest", "xgboost", "torch")


def trainer_of(name: str, **params: Any) -> gd.Trainer:
    return gd.get_trainer(name, device="cpu", **QUICK[name], **params)


def fails(kind: type[Exception], message: str, request: Callable[[], Any]) -> None:
    with pytest.raises(kind) as raised:
        request()
    assert str(raised.value) == message


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


def test_an_interrupted_fit_leaves_the_model_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = trainer_of("torch")
    model = trainer.fit(month(1), target="late")
    before = model.predict_proba(month(3))

    def interrupted(*_: Any) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("gpudrift.retrain.torch_loop._validated", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trainer.update(model, month(2), target="late")
    assert np.array_equal(model.predict_proba(month(3)), before)


def test_a_full_disk_leaves_no_half_model(ridge: gd.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def full(descriptor: int) -> None:
        written.append(descriptor)
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("gpudrift.store.artifact.os.fsync", full)
    message = f"{tmp_path}/champion cannot be written: No space left on device; choose another place"
    fails(gd.DataError, message, lambda: ridge.save(tmp_path / "champion"))
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys, os, signal
import numpy as np
import gpudrift as gd
import gpudrift.store.artifact as artifact

model = gd.get_trainer("ridge").fit({"x": np.arange(100.0), "y": np.arange(100.0)}, target="y")
artifact.os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
model.save(sys.argv[1])
"""


def test_a_killed_save_leaves_no_half_model(ridge: gd.Model, tmp_path: Path) -> None:
    place = tmp_path / "champion"
    done = subprocess.run([sys.executable, "-c", KILLED, str(place)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not place.exists()
    assert len(list(tmp_path.iterdir())) == 1  # its draft, which nobody holds any more
    message = f"{place} holds no model (model.json: No such file or directory); check the path"
    fails(gd.ModelError, message, lambda: gd.load_model(place))
    ridge.save(place)
    assert gd.load_model(place).id == ridge.id
    assert list(tmp_path.iterdir()) == [place]


def test_a_taken_place_is_not_overwritten(ridge: gd.Model, tmp_path: Path) -> None:
    ridge.save(tmp_path / "champion")
    fails(
        gd.DataError, f"{tmp_path}/champion is taken; save to a new folder", lambda: ridge.save(tmp_path / "champion")
    )


@pytest.mark.parametrize("name", ["ridge", "forest", "xgboost", "torch"])
def test_every_altered_byte_is_noticed(name: str, tmp_path: Path) -> None:
    trainer_of(name).fit(month(1, 100), target="late").save(tmp_path / "model")
    for file in sorted((tmp_path / "model").iterdir()):
        content = file.read_bytes()
        for place in np.linspace(0, len(content) - 1, 7).astype(int):
            altered = bytearray(content)
            altered[place] ^= 1
            file.write_bytes(altered)
            with pytest.raises(gd.ModelError, match=f"digest of {file.name} does not match; fetch|is no header"):
                gd.load_model(tmp_path / "model")
        file.write_bytes(content)
    gd.load_model(tmp_path / "model")


def test_no_bit_of_the_header_can_be_altered(ridge: gd.Model, tmp_path: Path) -> None:
    ridge.save(tmp_path / "model")
    header = tmp_path / "model" / "model.json"
    content = header.read_bytes()
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1 << place % 8
        header.write_bytes(altered)
        with pytest.raises(gd.ModelError):
            gd.load_model(tmp_path / "model")
    header.write_bytes(content.replace(b'"scale": ', b'"scale": 1'))
    message = f"{tmp_path}/model is damaged: the digest of model.json does not match; fetch the model again"
    fails(gd.ModelError, message, lambda: gd.load_model(tmp_path / "model"))


def test_a_pickle_is_never_read(ridge: gd.Model, tmp_path: Path) -> None:
    import pickle

    ridge.save(tmp_path / "model")
    (tmp_path / "model" / "weights.pkl").write_bytes(pickle.dumps({"a": 1}))
    message = f"{tmp_path}/model is damaged: weights.pkl is not listed in its header; fetch the model again"
    fails(gd.ModelError, message, lambda: gd.load_model(tmp_path / "model"))


def test_a_tree_that_points_outside_itself_is_refused() -> None:
    from sklearn.tree import DecisionTreeClassifier

    from gpudrift.retrain.skops_files import dump_estimator, load_estimator

    rng = np.random.default_rng(0)
    tree = DecisionTreeClassifier(max_depth=2).fit(rng.normal(size=(50, 2)), rng.integers(0, 2, 50))
    load_estimator(dump_estimator(tree))
    tree.tree_.children_left[0] = 10**6
    with pytest.raises(gd.ModelError, match="holds a tree that points outside itself"):
        load_estimator(dump_estimator(tree))


def test_an_estimator_of_unknown_types_cannot_be_saved(tmp_path: Path) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    model = gd.get_trainer("sklearn", estimator=KNeighborsClassifier()).fit(month(1), target="late")
    with pytest.raises(
        gd.ModelError, match="EuclideanDistance64, which skops does not trust; use an estimator without"
    ):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


REFUSED = {
    "a missing column": (
        {"wind": [1.0], "carrier": ["AA"]},
        "rows to predict have no column 'rain', which the model needs: there is 'wind', 'carrier'",
    ),
    "text for a number": (
        {"rain": ["x"], "wind": [1.0], "carrier": ["AA"]},
        "'rain' is string in the rows to predict, and the model takes numbers; cast it",
    ),
    "a number for text": (
        {"rain": [1.0], "wind": [1.0], "carrier": [3]},
        "'carrier' is int64 in the rows to predict, and the model knows string; cast it",
    ),
}


@pytest.mark.parametrize(("rows", "message"), REFUSED.values(), ids=REFUSED)
def test_rows_that_the_model_cannot_see(ridge: gd.Model, rows: dict[str, Any], message: str) -> None:
    fails(gd.DataError, message, lambda: ridge.predict(rows))


SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": ({"name": "ridge", "alhpa": 1}, "ridge.alhpa is unknown: did you mean 'alpha'?"),
    "range": ({"name": "ridge", "alpha": -1}, "alpha must be >= 0, got -1"),
    "decay": ({"name": "naive_bayes", "decay": 0}, "decay must be above 0 and at most 1, got 0"),
    "device": ({"name": "ridge", "device": "tpu"}, "device must be one of auto, cpu, cuda, got 'tpu'"),
    "seed": ({"name": "ridge", "seed": -1}, "seed must be an integer >= 0, got -1"),
    "replay": (
        {"name": "ridge", "replay_rows": 30_000},
        "replay_rows must be 0, or between 2 and 20,000, got 30000",
    ),
    "task": ({"name": "ridge", "task": "rank"}, "task must be auto, classification or regression, got 'rank'"),
    "estimator": (
        {"name": "sklearn", "estimator": "svm"},
        "estimator must have fit and get_params, got str",
    ),
    "a text for a number": ({"name": "ridge", "alpha": "1"}, "ridge.alpha must be a finite number, got '1'"),
    "a fraction for a count": ({"name": "torch", "epochs": 1.5}, "torch.epochs must be a whole number, got 1.5"),
    "not finite": ({"name": "ridge", "margin": float("nan")}, "ridge.margin must be a finite number, got nan"),
    "forgetting": (
        {"name": "ridge", "on_forgetting": "ask"},
        "on_forgetting must be refuse or tell, got 'ask'",
    ),
}


@pytest.mark.parametrize(("params", "message"), SETTINGS.values(), ids=SETTINGS)
def test_settings_out_of_range(params: dict[str, Any], message: str) -> None:
    fails(gd.ConfigError, message, lambda: gd.get_trainer(**params))


def test_the_model_of_another_network() -> None:
    model = trainer_of("torch").fit(month(1), target="late")
    message = "the model is of another network; update it with the parameters that it was fitted with"
    other = gd.get_trainer("torch", device="cpu", hidden=(16,))
    fails(gd.ConfigError, message, lambda: other.update(model, month(2), target="late"))


def test_a_number_is_no_class() -> None:
    with pytest.raises(gd.DataError, match="logistic does classification, and target 'rain' is a number; pass another"):
        trainer_of("logistic").fit(month(1), target="rain")


def test_the_estimator_of_another_model() -> None:
    from sklearn.linear_model import SGDClassifier
    from sklearn.naive_bayes import GaussianNB

    model = gd.get_trainer("sklearn", estimator=SGDClassifier(loss="log_loss")).fit(month(1), target="late")
    message = (
        "the trainer's estimator is GaussianNB, and the model holds SGDClassifier; pass estimator=SGDClassifier(...)"
    )
    other = gd.get_trainer("sklearn", estimator=GaussianNB())
    fails(gd.ConfigError, message, lambda: other.update(model, month(2), target="late"))


def test_an_estimator_that_refuses_the_rows() -> None:
    from sklearn.naive_bayes import MultinomialNB

    trainer = gd.get_trainer("sklearn", device="cpu", estimator=MultinomialNB())
    message = (
        "MultinomialNB cannot learn: Negative values in data passed to MultinomialNB (input X); pass another estimator"
    )
    fails(gd.TrainingError, message, lambda: trainer.fit(month(1), target="late"))
    message = "estimator must be an instance; pass estimator=MultinomialNB()"
    fails(gd.ConfigError, message, lambda: gd.get_trainer("sklearn", estimator=MultinomialNB))


def test_an_estimator_that_cannot_go_on_is_fitted_in_full() -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    estimator = HistGradientBoostingClassifier(max_iter=5, warm_start=True)  # asked to go on, it adds no tree
    trainer = gd.get_trainer("sklearn", device="cpu", estimator=estimator)
    assert trainer.capabilities == ("full",)
    model, flipped = trainer.fit(month(1), target="late"), month(2)
    flipped["late"] = ~flipped["late"]
    newer = trainer.update(model, flipped, target="late", replay=0)
    assert newer.score(flipped) > 0.7 > 0.3 > model.score(flipped)


def test_an_estimator_without_weights() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    trainer = gd.get_trainer("sklearn", estimator=KNeighborsClassifier())
    message = "KNeighborsClassifier takes no weights; pass weights=None and replay=0"
    fails(gd.ConfigError, message, lambda: trainer.fit(month(1), target="late", weights=np.ones(800)))


def test_the_target_is_no_feature() -> None:
    trainer = gd.get_trainer("ridge", columns=["rain", "late"])
    fails(gd.ConfigError, "columns hold the target 'late'; leave it out", lambda: trainer.fit(month(1), target="late"))


def test_the_model_of_another_trainer(ridge: gd.Model) -> None:
    message = "the model is of 'ridge', not 'logistic'; get its own trainer"
    fails(gd.ConfigError, message, lambda: trainer_of("logistic").update(ridge, month(2), target="late"))


@pytest.mark.skipif(sys.platform != "linux", reason="asks for libcuda.so.1")
def test_no_model_at_all() -> None:
    message = "model must be a Model, got str; load_model reads one"
    fails(gd.ConfigError, message, lambda: trainer_of("ridge").update("champion", month(2), target="late"))  # type: ignore[arg-type]


def test_a_network_that_is_made_already() -> None:
    import torch

    message = "network must be a function of (n_numbers, cardinalities, n_outputs), got Linear"
    fails(gd.ConfigError, message, lambda: gd.get_trainer("torch", network=torch.nn.Linear(2, 1)))


def test_a_learner_without_fields() -> None:
    message = "learner must be a dataclass of its parameters, got object"
    fails(gd.ConfigError, message, lambda: gd.Trainer(object()))  # type: ignore[arg-type]


def test_cuda_never_falls_back() -> None:
    from gpudrift.retrain.device import why_no_gpu

    if why_no_gpu() is None:
        pytest.skip("there is a GPU")
    with pytest.raises(gd.BackendUnavailable, match=r"ridge cannot train on cuda: .*; pass device='cpu'"):
        gd.get_trainer("ridge", device="cuda")
