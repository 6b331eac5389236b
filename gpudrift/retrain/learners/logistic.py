"""Logistic regression: a convex problem, so a warm start is the old solution handed to the solver."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import signature
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.stream import Rows, Stream

#: Of the old scores as columns: the penalty on them is then a hundredth of that on the difference.
_SCALE: Final = 10.0


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
    max_iter : int
        Most steps of the solver.
    pull : float
        L2 pull of an update towards the old coefficients, per row; intercepts are free. The default is the weakest
        whose updates by the flights of May, June and July kept every anchor within 0.02: weaker ones follow the new
        month better, and forget.

    Notes
    -----
    On the CPU scikit-learn solves it by L-BFGS. On a GPU it is cuML's QN where that has a warm start, else PyTorch's
    L-BFGS. All minimise the same sum, to the solver's tolerance.
    """

    C: float = 1.0
    max_iter: int = 200
    pull: float = 0.25

    name: ClassVar[str] = "logistic"
    tasks: ClassVar[tuple[str, ...]] = ("classification",)

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise ConfigError(f"C must be above 0, got {self.C!r}")
        if self.max_iter < 1:
            raise ConfigError(f"max_iter must be >= 1, got {self.max_iter}")
        if not self.pull >= 0:
            raise ConfigError(f"pull must be >= 0, got {self.pull!r}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("warm_solver", "full")

    def why_no_cuda(self) -> str | None:
        return _torch_without_cuda()

    def fit(self, stream: Stream, job: Job) -> Weights:
        rows = stream.joined()
        return self._solved(job.features.dense(rows.inputs, np.float32), rows, job, None, self.C)

    def update(self, state: Weights, stream: Stream, job: Job, how: Capability) -> Weights:
        """The old scores join the columns, so that what the penalty shrinks is the difference from the old solution."""
        rows = stream.joined()
        x = job.features.dense(rows.inputs, np.float32)
        if not self.pull:
            return self._solved(x, rows, job, state, self.C)
        k, p = state.coefficients.shape
        scores = (_SCALE * (x @ state.coefficients.T)).astype(np.float32)
        start = np.concatenate([np.zeros((k, p)), np.eye(k) / _SCALE], axis=1)
        c = 1 / (self.pull * len(rows))
        found = self._solved(np.concatenate([x, scores], axis=1), rows, job, Weights(start, state.intercepts), c)
        kept = _SCALE * found.coefficients[:, p:] @ state.coefficients
        return Weights(found.coefficients[:, :p] + kept, found.intercepts)

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

    def _solved(self, x: NDArray[Any], rows: Rows, job: Job, start: Weights | None, c: float) -> Weights:
        if job.device == "cpu":
            solve = solve_by_sklearn
        elif find_spec("cuml") and "warm_start" in signature(library("cuml.solvers", extra="rapids").QN).parameters:
            solve = solve_by_cuml
        else:
            solve = solve_by_torch
        return solve(x, rows, job, start, c=c, max_iter=self.max_iter)


def solve_by_sklearn(
    x: NDArray[Any], rows: Rows, job: Job, start: Weights | None, *, c: float, max_iter: int
) -> Weights:
    """L-BFGS on the CPU, in the matrix's type."""
    solver = library("sklearn.linear_model").LogisticRegression(C=c, max_iter=max_iter, warm_start=True)
    if start is not None:
        solver.coef_ = start.coefficients.astype(x.dtype)
        solver.intercept_ = start.intercepts.astype(x.dtype)
        solver.classes_ = np.arange(job.n_classes or 0)
    with warnings.catch_warnings():  # a solver that stops early is judged by its loss, which the trainer checks
        warnings.simplefilter("ignore", library("sklearn.exceptions").ConvergenceWarning)
        solver.fit(x, rows.labels, rows.weights)
    return Weights(solver.coef_.astype(np.float64), np.atleast_1d(solver.intercept_).astype(np.float64))


def solve_by_cuml(x: NDArray[Any], rows: Rows, job: Job, start: Weights | None, *, c: float, max_iter: int) -> Weights:
    """L-BFGS on the GPU by cuML."""
    solver = library("cuml.solvers", extra="rapids").QN(
        loss="sigmoid" if job.n_classes == 2 else "softmax",
        l2_strength=1 / c,  # divided by the rows: penalty_normalized is its default
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


def solve_by_torch(x: NDArray[Any], rows: Rows, job: Job, start: Weights | None, *, c: float, max_iter: int) -> Weights:
    """L-BFGS with a strong Wolfe line search on the whole matrix, on the job's device, in float64."""
    torch = library("torch")
    place = {"device": job.device, "dtype": torch.float64}
    k = 1 if job.n_classes == 2 else job.n_classes or 1
    features = torch.as_tensor(x, **place)
    target = torch.as_tensor(rows.labels, device=job.device)
    weight = None if rows.weights is None else torch.as_tensor(rows.weights, **place)
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
