"""Any estimator with scikit-learn's face, updated by its own ``partial_fit`` or ``warm_start``."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError, GpudriftError, TrainingError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.skops_files import dump_estimator, load_estimator
from gpudrift.retrain.stream import Rows, Stream
from gpudrift.retrain.twins import TWINS, fit_twin, why_no_twin

_COEFFICIENTS: Final = (
    "coef_", "intercept_", "_standard_coef", "_standard_intercept", "_average_coef", "_average_intercept",
)  # fmt: skip


@dataclass(frozen=True)
class Adapter:
    """An estimator on scaled numbers and 0/1 categories.

    Parameters
    ----------
    estimator : scikit-learn estimator, not fitted
        Never changed: a copy is trained. With ``partial_fit`` it can "sgd"; with ``warm_start`` and ``n_estimators`` it
        can "add_trees"; with ``warm_start`` alone, "warm_solver"; otherwise, and where it bins its inputs, it is fitted
        in full.
    grow : int, optional
        Trees that an update adds; a tenth of ``n_estimators`` by default.
    pull : float
        Pull of an update towards the old coefficients of a linear estimator: they move by 1 / (1 + pull) of the way
        that the estimator's own update went, which is the minimum of (w - new)^2 + pull (w - old)^2. Estimators without
        ``coef_`` are not pulled; replay and anchors guard them.

    Raises
    ------
    ConfigError
        It has no ``fit``.
    """

    estimator: Any = None
    grow: int | None = None
    pull: float = 1.0

    name: ClassVar[str] = "sklearn"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def __post_init__(self) -> None:
        if isinstance(self.estimator, type):
            raise ConfigError(f"estimator must be an instance; pass estimator={self.estimator.__name__}()")
        if self.estimator is not None and not (
            hasattr(self.estimator, "fit") and hasattr(self.estimator, "get_params")
        ):
            raise ConfigError(f"estimator must have fit and get_params, got {type(self.estimator).__name__}")
        if self.grow is not None and self.grow < 1:
            raise ConfigError(f"grow must be >= 1, got {self.grow!r}")
        if not self.pull >= 0:
            raise ConfigError(f"pull must be >= 0, got {self.pull!r}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        if hasattr(self.estimator, "partial_fit"):
            return ("sgd", "full")
        params = self.estimator.get_params(deep=False) if self.estimator is not None else {}
        if "warm_start" not in params or "max_bins" in params:  # histogram boosting bins new rows anew, under old trees
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
        if type(state) is not type(self.estimator):
            given = f"{type(self.estimator).__name__}, and the model holds {type(state).__name__}"
            raise ConfigError(f"the trainer's estimator is {given}; pass estimator={type(state).__name__}(...)")
        estimator, rows = copy.deepcopy(state), stream.joined()
        x = job.features.dense(rows.inputs)
        if how == "sgd":
            order = np.random.default_rng(job.seed).permutation(len(rows))
            classes = {} if job.n_classes is None else {"classes": np.arange(job.n_classes)}
            weights = _weights(estimator.partial_fit, rows, order)
            with _refusals(estimator):
                estimator.partial_fit(x[order], rows.labels[order], **classes, **weights)
            return _pulled(estimator, state, self.pull)
        estimator.set_params(warm_start=True)
        if how == "add_trees":
            grow = self.grow or max(self.estimator.get_params()["n_estimators"] // 10, 1)
            estimator.set_params(n_estimators=estimator.get_params()["n_estimators"] + grow)
        return _pulled(_fitted(estimator, x, rows), state, self.pull)

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
    weights = _weights(estimator.fit, rows, slice(None))
    with warnings.catch_warnings():  # stopped early on purpose, and the loss is checked by the trainer
        warnings.simplefilter("ignore", library("sklearn.exceptions").ConvergenceWarning)
        with _refusals(estimator):
            return estimator.fit(x, rows.labels, **weights)


@contextmanager
def _refusals(estimator: Any) -> Iterator[None]:
    """What an estimator refuses of rows that were read well, in one line."""
    try:
        yield
    except ValueError as error:
        if isinstance(error, GpudriftError):
            raise
        line = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise TrainingError(f"{type(estimator).__name__} cannot learn: {line}; pass another estimator") from error


def _weights(method: Any, rows: Rows, order: Any) -> dict[str, Any]:
    if rows.weights is None:
        return {}
    if "sample_weight" not in signature(method).parameters:
        raise ConfigError(f"{type(method.__self__).__name__} takes no weights; pass weights=None and replay=0")
    return {"sample_weight": rows.weights[order]}


def _pulled(estimator: Any, old: Any, pull: float) -> Any:
    """The estimator with its coefficients drawn back towards the old ones; SGD keeps several copies of them."""
    if pull and hasattr(old, "coef_"):
        for name in _COEFFICIENTS:
            before, after = (getattr(held, name, None) for held in (old, estimator))
            if isinstance(before, np.ndarray) and isinstance(after, np.ndarray) and before.shape == after.shape:
                setattr(estimator, name, before + (after - before) / (1 + pull))
    return estimator
