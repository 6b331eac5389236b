"""Logistic regression: a convex problem, so a warm start is the old solution handed to the solver."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.stream import Rows, Stream


@dataclass(frozen=True)
class Weights:
    """``coefficients`` (k, p) and ``intercepts`` (k,): k is 1 for two classes (the logit of the second)."""

    coefficients: NDArray[np.float64]
    intercepts: NDArray[np.float64]


@dataclass(frozen=True)
class Logistic:
    """Logistic (two classes) or softmax regression.

    Parameters
    ----------
    C : float
        Inverse of the L2 penalty, as scikit-learn's.
    max_iter, update_iter : int
        Most steps of the solver in a fit and in an update: stopping an update early keeps it near the old solution.

    Notes
    -----
    On the CPU scikit-learn solves it by L-BFGS. On a GPU it is cuML's QN where that has a warm start, else PyTorch's
    L-BFGS. All minimise the same sum, to the solver's tolerance.
    """

    C: float = 1.0
    max_iter: int = 200
    update_iter: int = 20

    name: ClassVar[str] = "logistic"
    tasks: ClassVar[tuple[str, ...]] = ("classification",)

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise ConfigError(f"C must be above 0, got {self.C!r}")
        if min(self.max_iter, self.update_iter) < 1:
            raise ConfigError(f"max_iter and update_iter must be >= 1, got {self.max_iter} and {self.update_iter}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("warm_solver", "full")

    def why_no_cuda(self) -> str | None:
        return _torch_without_cuda()

    def fit(self, stream: Stream, job: Job) -> Weights:
        return self._solved(stream.joined(), job, None, self.max_iter)

    def update(self, state: Weights, stream: Stream, job: Job, how: Capability) -> Weights:
        return self._solved(stream.joined(), job, state, self.update_iter)

    def predict(self, state: Weights, inputs: Inputs, job: Job) -> NDArray[np.float64]:
        scores = job.features.dense(inputs) @ state.coefficients.T + state.intercepts
        if scores.shape[1] == 1:
            scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def dump(self, state: Weights) -> dict[str, bytes]:
        values = {"coefficients": np.ascontiguousarray(state.coefficients), "intercepts": state.intercepts}
        return {"weights.safetensors": library("safetensors.numpy").save(values)}

    def load(self, files: Mapping[str, bytes], job: Job) -> Weights:
        held: dict[str, Any] = library("safetensors.numpy").load(files["weights.safetensors"])
        k = 1 if job.n_classes == 2 else job.n_classes
        if held["coefficients"].shape != (k, job.features.width) or held["intercepts"].shape != (k,):
            raise ValueError("the weights do not fit the features")
        return Weights(held["coefficients"], held["intercepts"])

    def _solved(self, rows: Rows, job: Job, start: Weights | None, max_iter: int) -> Weights:
        x = job.features.dense(rows.inputs, np.float32)
        if job.device == "cpu":
            return self._by_sklearn(x, rows, job, start, max_iter)
        if (
            find_spec("cuml")
            and "warm_start" in inspect.signature(library("cuml.solvers", extra="rapids").QN).parameters
        ):
            return self._by_cuml(x, rows, job, start, max_iter)
        return solve_by_torch(x, rows.labels, rows.weights, job, start, max_iter=max_iter, c=self.C)

    def _by_sklearn(self, x: NDArray[Any], rows: Rows, job: Job, start: Weights | None, max_iter: int) -> Weights:
        solver = library("sklearn.linear_model").LogisticRegression(C=self.C, max_iter=max_iter, warm_start=True)
        if start is not None:
            solver.coef_ = start.coefficients.astype(np.float32)
            solver.intercept_ = start.intercepts.astype(np.float32)
            solver.classes_ = np.arange(job.n_classes or 0)
        with warnings.catch_warnings():  # stopped early on purpose, and the loss is checked by the trainer
            warnings.simplefilter("ignore", library("sklearn.exceptions").ConvergenceWarning)
            solver.fit(x, rows.labels, rows.weights)
        return Weights(solver.coef_.astype(np.float64), np.atleast_1d(solver.intercept_).astype(np.float64))

    def _by_cuml(self, x: NDArray[Any], rows: Rows, job: Job, start: Weights | None, max_iter: int) -> Weights:
        solver = library("cuml.solvers", extra="rapids").QN(
            loss="sigmoid" if job.n_classes == 2 else "softmax",
            l2_strength=1 / self.C,  # divided by the rows: penalty_normalized is its default
            max_iter=max_iter,
            warm_start=start is not None,
            output_type="numpy",
        )
        if start is not None:
            solver.coef_ = start.coefficients.astype(np.float32)
            solver.intercept_ = start.intercepts.astype(np.float32)
        solver.fit(x, rows.labels.astype(np.float32), rows.weights)
        k = 1 if job.n_classes == 2 else job.n_classes or 1
        coefficients = np.asarray(solver.coef_, np.float64).reshape(k, -1)
        return Weights(coefficients, np.asarray(solver.intercept_, np.float64).reshape(k))


def solve_by_torch(
    x: NDArray[Any],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    job: Job,
    start: Weights | None,
    *,
    max_iter: int,
    c: float,
) -> Weights:
    """L-BFGS with a strong Wolfe line search on the whole matrix, on the job's device, in float64."""
    torch = library("torch")
    place = {"device": job.device, "dtype": torch.float64}
    k = 1 if job.n_classes == 2 else job.n_classes or 1
    features = torch.as_tensor(x, **place)
    target = torch.as_tensor(labels, device=job.device)
    weight = None if weights is None else torch.as_tensor(weights, **place)
    first = start or Weights(np.zeros((k, x.shape[1])), np.zeros(k))
    coefficients = torch.tensor(first.coefficients, **place, requires_grad=True)
    intercepts = torch.tensor(first.intercepts, **place, requires_grad=True)
    solver = torch.optim.LBFGS(
        [coefficients, intercepts],
        max_iter=max_iter,
        tolerance_grad=1e-6,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Any:
        solver.zero_grad()
        scores = features @ coefficients.T + intercepts
        if k == 1:
            losses = torch.nn.functional.softplus(torch.where(target == 1, -scores[:, 0], scores[:, 0]))
        else:
            losses = torch.nn.functional.cross_entropy(scores, target, reduction="none")
        total = (losses if weight is None else losses * weight).sum() + coefficients.square().sum() / 2 / c
        total = total / len(target)  # of order 1, whatever the number of rows
        total.backward()
        return total

    solver.step(objective)
    return Weights(coefficients.detach().cpu().numpy(), intercepts.detach().cpu().numpy())


def _torch_without_cuda() -> str | None:
    if find_spec("torch") is None:
        return 'torch is not installed (pip install "gpudrift[train]")'
    return None if library("torch").backends.cuda.is_built() else "this torch is built for the CPU"
