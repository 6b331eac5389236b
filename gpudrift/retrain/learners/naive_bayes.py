"""Naive Bayes: Gaussian numbers and counted categories, both updated by adding to their sums."""

from __future__ import annotations

import copy
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
from gpudrift.retrain.stream import Stream
from gpudrift.retrain.twins import fit_twin, why_no_twin


@dataclass(frozen=True)
class Parts:
    """scikit-learn's GaussianNB of the numbers and CategoricalNB of the codes; None where there are none."""

    gaussian: Any
    categorical: Any


@dataclass(frozen=True)
class NaiveBayes:
    """Gaussian naive Bayes over numbers times categorical naive Bayes over codes.

    Parameters
    ----------
    decay : float in (0, 1]
        What the past counts after an update, in units of what it counted before.
    smoothing : float
        Counts added to every category of every class (Laplace).

    Notes
    -----
    A missing number counts as the feature's mean, a missing category as a category. On a GPU a fit of the numbers is
    cuML's; categories are counted on the host, since cuML's CategoricalNB takes no ``min_categories``, and so are
    updates.
    """

    decay: float = 1.0
    smoothing: float = 1.0

    name: ClassVar[str] = "naive_bayes"
    tasks: ClassVar[tuple[str, ...]] = ("classification",)

    def __post_init__(self) -> None:
        if not 0 < self.decay <= 1:
            raise ConfigError(f"decay must be above 0 and at most 1, got {self.decay!r}")
        if not self.smoothing > 0:
            raise ConfigError(f"smoothing must be above 0, got {self.smoothing!r}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("exact_sums", "full")

    def why_no_cuda(self) -> str | None:
        return why_no_twin()

    def fit(self, stream: Stream, job: Job) -> Parts:
        bayes = library("sklearn.naive_bayes")
        sizes = [category.n_codes for category in job.features.categories]
        gaussian = bayes.GaussianNB() if job.features.numbers else None
        categorical = bayes.CategoricalNB(alpha=self.smoothing, min_categories=sizes) if sizes else None
        if job.device == "cuda" and gaussian is not None:
            rows = stream.joined()
            fitted = fit_twin(gaussian, _filled(rows.inputs), rows.labels, rows.weights)
            return Parts(fitted, self._added(Parts(None, categorical), stream, job).categorical)
        return self._added(Parts(gaussian, categorical), stream, job)

    def update(self, state: Parts, stream: Stream, job: Job, how: Capability) -> Parts:
        parts = copy.deepcopy(state)
        if parts.gaussian is not None:
            parts.gaussian.class_count_ *= self.decay
        if parts.categorical is not None:
            parts.categorical.class_count_ *= self.decay
            for counts in parts.categorical.category_count_:
                counts *= self.decay
        return self._added(parts, stream, job)

    def predict(self, state: Parts, inputs: Inputs, job: Job) -> NDArray[np.float64]:
        found = []
        if state.gaussian is not None:
            found.append(state.gaussian.predict_joint_log_proba(_filled(inputs)))
        if state.categorical is not None:
            found.append(state.categorical.predict_joint_log_proba(inputs.codes))
        scores = sum(found)
        if len(found) == 2:  # the prior is in both
            scores -= state.categorical.class_log_prior_
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def dump(self, state: Parts) -> dict[str, bytes]:
        return {"naive_bayes.skops": dump_estimator([state.gaussian, state.categorical])}

    def load(self, files: Mapping[str, bytes], job: Job) -> Parts:
        return Parts(*load_estimator(files["naive_bayes.skops"]))

    def _added(self, parts: Parts, stream: Stream, job: Job) -> Parts:
        classes = np.arange(job.n_classes or 0)
        for rows in stream:
            if parts.gaussian is not None:
                parts.gaussian.partial_fit(_filled(rows.inputs), rows.labels, classes, rows.weights)
            if parts.categorical is not None:
                parts.categorical.partial_fit(rows.inputs.codes, rows.labels, classes, rows.weights)
        return parts


def _filled(inputs: Inputs) -> NDArray[np.float64]:
    return np.nan_to_num(inputs.numbers, nan=0.0)
