"""Gradient boosting with XGBoost: an update adds trees up to a cap, or gives the leaves of the old ones new values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.stream import Stream


@dataclass(frozen=True)
class Boosting:
    """XGBoost by histograms; missing numbers as they are, categories as categories.

    Parameters
    ----------
    n_rounds : int
        Boosting rounds of a fit: a tree each, or one for each of several classes.
    grow : int, optional
        Rounds that an update adds; a tenth of ``n_rounds`` by default.
    max_rounds : int, optional
        An update that would pass it is refused; three times ``n_rounds`` by default.
    max_depth : int
    learning_rate, penalty, sample_share : float
        Step of a round, L2 penalty of a leaf, share of the rows that a round draws.
    n_threads : int
        0: all.
    """

    n_rounds: int = 200
    grow: int | None = None
    max_rounds: int | None = None
    max_depth: int = 5
    learning_rate: float = 0.1
    penalty: float = 5.0
    sample_share: float = 0.8
    n_threads: int = 0

    name: ClassVar[str] = "xgboost"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def __post_init__(self) -> None:
        for field in ("n_rounds", "max_depth"):
            if getattr(self, field) < 1:
                raise ConfigError(f"{field} must be >= 1, got {getattr(self, field)!r}")
        if self.grow is not None and self.grow < 1:
            raise ConfigError(f"grow must be >= 1, got {self.grow!r}")
        if not 0 < self.sample_share <= 1:
            raise ConfigError(f"sample_share must be above 0 and at most 1, got {self.sample_share!r}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("add_trees", "refresh_leaves", "full")

    def why_no_cuda(self) -> str | None:
        return None if library("xgboost").build_info().get("USE_CUDA") else "this xgboost is built for the CPU"

    def fit(self, stream: Stream, job: Job) -> Any:
        return library("xgboost").train(self._settings(job), self._matrix(stream, job), self.n_rounds)

    def update(self, state: Any, stream: Stream, job: Job, how: Capability) -> Any:
        rounds = state.num_boosted_rounds()
        settings = self._settings(job)
        if how == "refresh_leaves":  # exactly as many rounds as there are, or those beyond would be lost
            settings |= {"process_type": "update", "updater": "refresh", "refresh_leaf": True}
            del settings["tree_method"]
            return library("xgboost").train(settings, self._matrix(stream, job), rounds, xgb_model=state)
        grow, most = self.grow or max(self.n_rounds // 10, 1), self.max_rounds or 3 * self.n_rounds
        if rounds + grow > most:
            raise ConfigError(
                f"the model has {rounds} rounds, and {grow} more pass max_rounds={most}; "
                "fit in full, or update with how='refresh_leaves'"
            )
        return library("xgboost").train(settings, self._matrix(stream, job), grow, xgb_model=state)

    def predict(self, state: Any, inputs: Inputs, job: Job) -> NDArray[np.float64]:
        predicted = state.inplace_predict(job.features.ordinal(inputs), validate_features=False)
        if job.n_classes == 2:
            predicted = np.stack([1 - predicted, predicted], axis=1)
        return np.asarray(predicted, np.float64)

    def dump(self, state: Any) -> dict[str, bytes]:
        return {"booster.ubj": bytes(state.save_raw("ubj"))}

    def load(self, files: Mapping[str, bytes], job: Job) -> Any:
        xgboost = library("xgboost")
        booster = xgboost.Booster({"nthread": self.n_threads})
        try:
            booster.load_model(bytearray(files["booster.ubj"]))
        except xgboost.core.XGBoostError as error:
            raise ValueError(str(error).splitlines()[0]) from error
        if booster.num_features() != len(job.features.names):
            raise ValueError("the trees do not fit the features")
        return booster

    def _settings(self, job: Job) -> dict[str, Any]:
        objective = {None: "reg:squarederror", 2: "binary:logistic"}.get(job.n_classes, "multi:softprob")
        settings = {
            "objective": objective,
            "tree_method": "hist",
            "device": job.device,
            "max_depth": self.max_depth,
            "eta": self.learning_rate,
            "lambda": self.penalty,
            "subsample": self.sample_share,
            "seed": job.seed,
            "nthread": self.n_threads,
            "verbosity": 0,
        }
        return settings | ({"num_class": job.n_classes} if objective == "multi:softprob" else {})

    def _matrix(self, stream: Stream, job: Job) -> Any:
        rows = stream.joined()
        kinds = ["q"] * len(job.features.numbers) + ["c"] * len(job.features.categories)
        return library("xgboost").DMatrix(
            job.features.ordinal(rows.inputs),
            rows.labels,
            weight=rows.weights,
            feature_types=kinds,
            enable_categorical=True,
            nthread=self.n_threads or None,
        )
