"""Gradient boosting with XGBoost: an update adds trees up to a cap, or gives the leaves of the old ones new values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.origin import origin_of
from gpudrift.retrain.stream import Rows, Stream

#: Attribute of a booster: what its labels are measured from.
_ORIGIN: Final = "gpudrift_origin"


@dataclass(frozen=True)
class Boosting:
    """XGBoost by histograms; missing numbers as they are, categories as categories.

    An update has no weights to pull back to the old ones: what holds it is that its trees are few (``grow``), small
    steps (``update_rate``) and capped in number (``max_rounds``), or that old leaves move only a part of the way
    (``leaf_step``).

    Parameters
    ----------
    n_rounds : int
        Boosting rounds of a fit: a tree each, or one for each of several classes.
    grow : int, optional
        Rounds that an update adds; a fifth of ``n_rounds`` by default.
    max_rounds : int, optional
        An update that would pass it is refused; three times ``n_rounds`` by default.
    max_depth : int
    learning_rate, penalty, sample_share : float
        Step of a round, L2 penalty of a leaf, share of the rows that a round draws.
    update_rate : float
        Step of a round that an update adds.
    leaf_step : float in (0, 1]
        How far "refresh_leaves" moves a leaf from its old value to that of the new and replayed rows.
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
    update_rate: float = 0.1
    leaf_step: float = 0.6
    n_threads: int = 0

    name: ClassVar[str] = "xgboost"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def __post_init__(self) -> None:
        for field in ("n_rounds", "max_depth"):
            if getattr(self, field) < 1:
                raise ConfigError(f"{field} must be >= 1, got {getattr(self, field)!r}")
        if self.grow is not None and self.grow < 1:
            raise ConfigError(f"grow must be >= 1, got {self.grow!r}")
        for field in ("learning_rate", "update_rate", "sample_share", "leaf_step"):
            if not 0 < getattr(self, field) <= 1:
                raise ConfigError(f"{field} must be above 0 and at most 1, got {getattr(self, field)!r}")
        if not self.penalty >= 0:
            raise ConfigError(f"penalty must be >= 0, got {self.penalty!r}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("add_trees", "refresh_leaves", "full")

    def why_no_cuda(self) -> str | None:
        return None if library("xgboost").build_info().get("USE_CUDA") else "this xgboost is built for the CPU"

    def fit(self, stream: Stream, job: Job) -> Any:
        rows = stream.joined()
        origin = 0.0 if job.n_classes else origin_of(rows.labels)
        return _from(
            origin, library("xgboost").train(self._settings(job), self._matrix(rows, job, origin), self.n_rounds)
        )

    def update(self, state: Any, stream: Stream, job: Job, how: Capability) -> Any:
        rounds = state.num_boosted_rounds()
        settings = self._settings(job)
        matrix = self._matrix(stream.joined(), job, _origin(state))
        if how == "refresh_leaves":  # exactly as many rounds as there are, or those beyond would be lost
            # on the CPU, where alone the refresher is
            settings |= {"process_type": "update", "updater": "refresh", "refresh_leaf": True, "device": "cpu"}
            del settings["tree_method"]
            refreshed = library("xgboost").train(settings, matrix, rounds, xgb_model=state)
            moved = refreshed if self.leaf_step == 1 else self._between(state, refreshed)
            return _from(_origin(state), moved)
        grow, most = self.grow or max(self.n_rounds // 5, 1), self.max_rounds or 3 * self.n_rounds
        if rounds + grow > most:
            raise ConfigError(
                f"the model has {rounds} rounds, and {grow} more pass max_rounds={most}; "
                "fit in full, or update with how='refresh_leaves'"
            )
        settings["eta"] = self.update_rate
        return _from(_origin(state), library("xgboost").train(settings, matrix, grow, xgb_model=state))

    def _between(self, old: Any, refreshed: Any) -> Any:
        """The same trees, each leaf ``leaf_step`` of the way from its old value to the refreshed one."""
        before, after = (json.loads(booster.save_raw("json")) for booster in (old, refreshed))
        pairs = zip(*(held["learner"]["gradient_booster"]["model"]["trees"] for held in (before, after)), strict=True)
        for was, now in pairs:
            for i, child in enumerate(now["left_children"]):
                if child == -1:  # of a leaf: its value stands where a split has its threshold
                    start = was["split_conditions"][i]
                    now["split_conditions"][i] = start + self.leaf_step * (now["split_conditions"][i] - start)
        return library("xgboost").Booster({"nthread": self.n_threads}, model_file=bytearray(json.dumps(after).encode()))

    def predict(self, state: Any, inputs: Inputs, job: Job) -> NDArray[np.float64]:
        predicted = state.inplace_predict(job.features.ordinal(inputs), validate_features=False)
        if job.n_classes == 2:
            predicted = np.stack([1 - predicted, predicted], axis=1)
        return np.asarray(predicted, np.float64) + _origin(state)

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

    def _matrix(self, rows: Rows, job: Job, origin: float) -> Any:
        kinds = ["q"] * len(job.features.numbers) + ["c"] * len(job.features.categories)
        return library("xgboost").DMatrix(
            job.features.ordinal(rows.inputs),
            rows.labels - origin,
            weight=rows.weights,
            feature_types=kinds,
            enable_categorical=True,
            nthread=self.n_threads or None,
        )


def _from(origin: float, booster: Any) -> Any:
    """The booster, whose predictions are measured from there."""
    booster.set_attr(**{_ORIGIN: repr(origin)})
    return booster


def _origin(booster: Any) -> float:
    return float(booster.attr(_ORIGIN) or 0.0)
