"""What cannot be asked of a model, a trainer or an estimator: one clear line."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import gpudrift as gd

from .conftest import fails, month, trainer_of

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
