"""Ridge regression by sums that add, subtract and decay: the best online model there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.stream import Rows, Stream
from gpudrift_kernels.lazily import lazily

_BLOCK_ROWS: Final = 1 << 15
_FLOOR: Final = 1e-6


@dataclass(frozen=True)
class Sums:
    """``gram`` = X'WX and ``moment`` = X'WY, where the first column of X is 1: all that least squares needs."""

    gram: NDArray[np.float64]
    moment: NDArray[np.float64]
    alpha: float

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.gram + other.gram, self.moment + other.moment, self.alpha)

    def decayed(self, factor: float) -> Sums:
        """As if every row weighed less by the factor."""
        return Sums(factor * self.gram, factor * self.moment, self.alpha)

    @lazily
    def solution(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coefficients (p, k) and intercepts (k,).

        The penalty is on columns as scaled by these sums, so the solution does not hang on the scale that the features
        were frozen with: updating equals fitting anew.
        """
        n = self.gram[0, 0]
        mean, label = self.gram[0, 1:] / n, self.moment[0] / n
        covariance = self.gram[1:, 1:] / n - np.outer(mean, mean)
        joint = self.moment[1:] / n - np.outer(mean, label)
        scale = np.sqrt(np.maximum(np.diag(covariance), 0))
        varies = scale > 1e-9
        coefficients = np.zeros_like(joint)
        if varies.any():
            s = scale[varies]
            a = covariance[np.ix_(varies, varies)] / np.outer(s, s) + self.alpha / n * np.eye(s.size)
            b = joint[varies] / s[:, None]
            found = np.linalg.solve(a, b) if self.alpha else np.linalg.lstsq(a, b)[0]
            coefficients[varies] = found / s[:, None]
        return coefficients, label - mean @ coefficients


@dataclass(frozen=True)
class Ridge:
    """Linear model with an L2 penalty; classes are predicted as their least-squares indicators.

    Parameters
    ----------
    alpha : float
        Penalty on the scaled coefficients, as scikit-learn's ``Ridge``.
    decay : float in (0, 1]
        What the past weighs after an update, in units of what it weighed before it. 1: an update equals a full fit.

    Notes
    -----
    Probabilities are the fitted indicators, clipped and normalised (a linear probability model): they rank, they are
    not calibrated.
    """

    alpha: float = 1.0
    decay: float = 1.0

    name: ClassVar[str] = "ridge"
    tasks: ClassVar[tuple[str, ...]] = ("regression", "classification")

    def __post_init__(self) -> None:
        if not self.alpha >= 0:
            raise ConfigError(f"alpha must be >= 0, got {self.alpha!r}")
        if not 0 < self.decay <= 1:
            raise ConfigError(f"decay must be above 0 and at most 1, got {self.decay!r}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("exact_sums", "full")

    def why_no_cuda(self) -> str | None:
        from importlib.util import find_spec

        return None if find_spec("cupy") else 'cupy is not installed (pip install "gpudrift[gpu]")'

    def fit(self, stream: Stream, job: Job) -> Sums:
        width = job.features.width + 1
        xp = library("cupy", extra="gpu") if job.device == "cuda" else np
        gram = xp.zeros((width, width))
        moment = xp.zeros((width, job.n_classes or 1))
        for rows in stream:
            for part in _blocks(rows):
                x = xp.ones((len(part), width))
                x[:, 1:] = xp.asarray(job.features.dense(part.inputs))
                y = xp.asarray(_labels(part, job))
                weighted = x if part.weights is None else x * xp.asarray(part.weights)[:, None]
                gram += weighted.T @ x
                moment += weighted.T @ y
        if xp is not np:  # the one transfer of the fit; it waits for the device
            gram, moment = gram.get(), moment.get()
        return Sums(gram, moment, self.alpha)

    def update(self, state: Sums, stream: Stream, job: Job, how: Capability) -> Sums:
        return self.merge(state.decayed(self.decay), self.fit(stream, job))

    def merge(self, first: Sums, second: Sums) -> Sums:
        """The sums of the rows of both, to be solved with this penalty."""
        return replace(first + second, alpha=self.alpha)

    def predict(self, state: Sums, inputs: Inputs, job: Job) -> NDArray[np.float64]:
        coefficients, intercept = state.solution
        scores = job.features.dense(inputs) @ coefficients + intercept
        if job.n_classes is None:
            return np.asarray(scores[:, 0])
        clipped = np.clip(scores, _FLOOR, 1)
        return np.asarray(clipped / clipped.sum(axis=1, keepdims=True))

    def dump(self, state: Sums) -> dict[str, bytes]:
        save = library("safetensors.numpy").save
        return {"sums.safetensors": save({"gram": state.gram, "moment": state.moment})}

    def load(self, files: Mapping[str, bytes], job: Job) -> Sums:
        held: dict[str, Any] = library("safetensors.numpy").load(files["sums.safetensors"])
        width = job.features.width + 1
        if held["gram"].shape != (width, width) or held["moment"].shape != (width, job.n_classes or 1):
            raise ValueError("the sums do not fit the features")
        return Sums(held["gram"], held["moment"], self.alpha)


def _blocks(rows: Rows) -> Iterator[Rows]:
    """Pieces whose matrix stays small."""
    for start in range(0, len(rows), _BLOCK_ROWS):
        yield rows.take(np.arange(start, min(start + _BLOCK_ROWS, len(rows))))


def _labels(rows: Rows, job: Job) -> NDArray[np.float64]:
    if job.n_classes is None:
        return rows.labels[:, None].astype(np.float64)
    return np.asarray(np.eye(job.n_classes)[rows.labels])
