"""A sliding forest: an update grows trees on new rows and drops the oldest."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.origin import origin_of
from gpudrift.retrain.skops_files import dump_estimator, load_estimator
from gpudrift.retrain.stream import Rows, Stream
from gpudrift.retrain.twins import fit_twin, why_no_twin


@dataclass(frozen=True)
class Forest:
    """Random forest of a fixed size.

    Trees have no weights to pull back: what holds an update is that all but ``grow`` of the trees stay as they are, and
    that the new ones see the replayed rows too.

    Parameters
    ----------
    n_trees : int
    grow : int, optional
        Trees that an update grows, and drops at the other end; three tenths of ``n_trees`` by default.
    max_depth, min_leaf : int
        Levels of a tree; fewest rows in a leaf.
    sample_share : float in (0, 1]
        Rows drawn for each tree, as a share of all.
    n_threads : int

    Notes
    -----
    scikit-learn grows it on the CPU, cuML on a GPU; either way it is kept as scikit-learn's, and predicts there.
    A missing number is the feature's mean.
    """

    n_trees: int = 100
    grow: int | None = None
    max_depth: int = 14
    min_leaf: int = 10
    sample_share: float = 0.5
    n_threads: int = -1

    name: ClassVar[str] = "forest"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def __post_init__(self) -> None:
        for field in ("n_trees", "max_depth", "min_leaf"):
            if getattr(self, field) < 1:
                raise ConfigError(f"{field} must be >= 1, got {getattr(self, field)!r}")
        if self.grow is not None and not 1 <= self.grow <= self.n_trees:
            raise ConfigError(f"grow must be between 1 and n_trees={self.n_trees}, got {self.grow!r}")
        if not 0 < self.sample_share <= 1:
            raise ConfigError(f"sample_share must be above 0 and at most 1, got {self.sample_share!r}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("add_trees", "full")

    def why_no_cuda(self) -> str | None:
        return why_no_twin()

    def fit(self, stream: Stream, job: Job) -> Any:
        rows = stream.joined()
        return self._grown(rows, job, self.n_trees, 0.0 if job.n_classes else origin_of(rows.labels))

    def update(self, state: Any, stream: Stream, job: Job, how: Capability) -> Any:
        young = self._grown(stream.joined(), job, self.grow or max(3 * self.n_trees // 10, 1), _origin(state))
        forest = copy.copy(state)  # the trees are shared: they never change
        forest.estimators_ = [*state.estimators_, *young.estimators_][-self.n_trees :]
        forest.n_estimators = len(forest.estimators_)
        return forest

    def predict(self, state: Any, inputs: Inputs, job: Job) -> NDArray[np.float64]:
        x = _matrix(inputs, job).astype(np.float32)

        def votes(tree: Any) -> NDArray[np.float64]:
            found: NDArray[np.float64] = tree.predict(x) if job.n_classes is None else tree.predict_proba(x)
            return found

        n_threads = self.n_threads if self.n_threads > 0 else None
        with ThreadPoolExecutor(
            n_threads
        ) as pool:  # summed in their order, which scikit-learn's own threads do not keep
            return np.asarray(sum(pool.map(votes, state.estimators_)) / len(state.estimators_)) + _origin(state)

    def dump(self, state: Any) -> dict[str, bytes]:
        return {"forest.skops": dump_estimator(state)}

    def load(self, files: Mapping[str, bytes], job: Job) -> Any:
        return load_estimator(files["forest.skops"])

    def _grown(self, rows: Rows, job: Job, n_trees: int, origin: float) -> Any:
        ensemble = library("sklearn.ensemble")
        kind = ensemble.RandomForestRegressor if job.n_classes is None else ensemble.RandomForestClassifier
        forest = kind(
            n_estimators=n_trees,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_leaf,
            max_features="sqrt" if job.n_classes else 1 / 3,
            max_samples=None if self.sample_share == 1 else self.sample_share,
            random_state=job.seed,
            n_jobs=self.n_threads,
        )
        x = _matrix(rows.inputs, job).astype(np.float32)
        labels = rows.labels - origin if origin else rows.labels
        if job.device == "cuda":
            forest = fit_twin(forest, x, labels, rows.weights)
        else:
            forest.fit(x, labels, rows.weights)
        forest.origin_ = origin
        return forest


def _origin(forest: Any) -> float:
    """What the labels of its trees were measured from."""
    return float(getattr(forest, "origin_", 0.0))


def _matrix(inputs: Inputs, job: Job) -> NDArray[np.float64]:
    """With the mean for a missing number."""
    return job.features.ordinal(Inputs(np.nan_to_num(inputs.numbers, nan=0.0), inputs.codes))
