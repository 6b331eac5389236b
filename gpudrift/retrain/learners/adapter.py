"""Any estimator with scikit-learn's face, updated by its own ``partial_fit`` or ``warm_start``."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.skops_files import dump_estimator, load_estimator
from gpudrift.retrain.stream import Rows, Stream
from gpudrift.retrain.twins import TWINS, fit_twin, why_no_twin


@dataclass(frozen=True)
class Adapter:
    """An estimator on scaled numbers and 0/1 categories.

    Parameters
    ----------
    estimator : scikit-learn estimator, not fitted
        Never changed: a copy is trained. With ``partial_fit`` it can "sgd"; with ``warm_start`` and ``n_estimators`` it
        can "add_trees"; with ``warm_start`` alone, "warm_solver"; otherwise it is fitted in full.
    grow : int, optional
        Trees that an update adds; a tenth of ``n_estimators`` by default.

    Raises
    ------
    ConfigError
        It has no ``fit``.
    """

    estimator: Any = None
    grow: int | None = None

    name: ClassVar[str] = "sklearn"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def __post_init__(self) -> None:
        if self.estimator is not None and not (
            hasattr(self.estimator, "fit") and hasattr(self.estimator, "get_params")
        ):
            raise ConfigError(f"estimator must have fit and get_params, got {type(self.estimator).__name__}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        if hasattr(self.estimator, "partial_fit"):
            return ("sgd", "full")
        params = self.estimator.get_params(deep=False) if self.estimator is not None else {}
        if "warm_start" not in params:
            return ("full",)
        return ("add_trees", "full") if "n_estimators" in params else ("warm_solver", "full")

    def why_no_cuda(self) -> str | None:
        name = type(self.estimator).__name__
        return why_no_twin() if name in TWINS else f"{name} has no twin in cuML"

    def fit(self, stream: Stream, job: Job) -> Any:
        if self.estimator is None:
            raise ConfigError("sklearn needs an estimator: get_trainer('sklearn', estimator=SGDClassifier())")
        fresh = library("sklearn.base").clone(self.estimator)
        if "random_state" in fresh.get_params(deep=False):
            fresh.set_params(random_state=job.seed)
        rows = stream.joined()
        x = job.features.dense(rows.inputs)
        self._check_kind(fresh, job)
        return fit_twin(fresh, x, rows.labels, rows.weights) if job.device == "cuda" else _fitted(fresh, x, rows)

    def update(self, state: Any, stream: Stream, job: Job, how: Capability) -> Any:
        estimator, rows = copy.deepcopy(state), stream.joined()
        x = job.features.dense(rows.inputs)
        if how == "sgd":
            order = np.random.default_rng(job.seed).permutation(len(rows))
            classes = {} if job.n_classes is None else {"classes": np.arange(job.n_classes)}
            weights = {} if rows.weights is None else {"sample_weight": rows.weights[order]}
            return estimator.partial_fit(x[order], rows.labels[order], **classes, **weights)
        estimator.set_params(warm_start=True)
        if how == "add_trees":
            grow = self.grow or max(self.estimator.get_params()["n_estimators"] // 10, 1)
            estimator.set_params(n_estimators=estimator.get_params()["n_estimators"] + grow)
        return _fitted(estimator, x, rows)

    def predict(self, state: Any, inputs: Inputs, job: Job) -> NDArray[np.float64]:
        x = job.features.dense(inputs)
        if job.n_classes is None:
            return np.asarray(state.predict(x), np.float64)
        if hasattr(state, "predict_proba"):
            return np.asarray(state.predict_proba(x), np.float64)
        return np.asarray(np.eye(job.n_classes)[state.predict(x)])

    def dump(self, state: Any) -> dict[str, bytes]:
        return {"estimator.skops": dump_estimator(state)}

    def load(self, files: Mapping[str, bytes], job: Job) -> Any:
        return load_estimator(files["estimator.skops"])

    def _check_kind(self, estimator: Any, job: Job) -> None:
        wanted = "regressor" if job.n_classes is None else "classifier"
        if not getattr(library("sklearn.base"), f"is_{wanted}")(estimator):
            raise ConfigError(
                f"the target needs a {wanted}, and {type(estimator).__name__} is none; pass another estimator"
            )


def _fitted(estimator: Any, x: NDArray[Any], rows: Rows) -> Any:
    if rows.weights is not None and not library("sklearn.utils.validation").has_fit_parameter(
        estimator, "sample_weight"
    ):
        raise ConfigError(f"{type(estimator).__name__} takes no weights; pass weights=None")
    with warnings.catch_warnings():  # stopped early on purpose, and the loss is checked by the trainer
        warnings.simplefilter("ignore", library("sklearn.exceptions").ConvergenceWarning)
        weights = {} if rows.weights is None else {"sample_weight": rows.weights}
        return estimator.fit(x, rows.labels, **weights)
