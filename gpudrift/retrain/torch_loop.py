"""The training loop: whole batches are cut from tensors that lie on the device, no row is touched in Python."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gpudrift.errors import ConfigError, TrainingError
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Job
from gpudrift.retrain.learners.network import Learned, Network
from gpudrift.retrain.stream import Rows, Stream

_VALIDATION: Final = 10
_PREDICTED_ROWS: Final = 1 << 16


def train(learner: Network, stream: Stream, job: Job, start: Learned | None) -> Learned:
    """Weights of the epoch with the best validation loss; from ``start``, shrunk and perturbed, where there is one.

    One row in ten, the same in every pass, is held out. The seed alone decides initial weights, order and dropout.
    """
    with _own_generator(job.device):
        torch.manual_seed(job.seed)
        module = learner.module(job).to(job.device)
        fresh = {name: value.detach().clone() for name, value in module.state_dict().items()}
        if start is None:
            centre, scale = _scale(stream, job)
            anchor: dict[str, torch.Tensor] = {}
        else:
            centre, scale = start.centre, start.scale
            anchor = {name: value.to(job.device) for name, value in start.weights.items()}
            weights = {name for name, _ in module.named_parameters()}
            module.load_state_dict(_shrunk(anchor, fresh, weights, learner))
        best = _epochs(learner, module, _Batches(stream, job, centre, scale, learner.batch_size), anchor)
    return Learned({name: value.cpu() for name, value in best.items()}, centre, scale)


def predict(learner: Network, state: Learned, inputs: Inputs, job: Job) -> NDArray[np.float64]:
    """Probabilities (n, classes) or numbers (n,); one transfer back per 65,536 rows."""
    with _own_generator("cpu"):
        module = learner.module(job)
    module.load_state_dict(dict(state.weights))
    module.to(job.device).eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(inputs), _PREDICTED_ROWS):
            piece = inputs.take(np.arange(start, min(start + _PREDICTED_ROWS, len(inputs))))
            numbers, codes = _tensors(piece, job.device)
            outputs = module(numbers, codes).double()
            parts.append((outputs[:, 0] if job.n_classes is None else outputs.softmax(dim=1)).cpu().numpy())
    if not parts:
        return np.empty((0, job.n_classes) if job.n_classes else 0)
    predicted = np.concatenate(parts)
    return predicted * state.scale + state.centre if job.n_classes is None else predicted


def _own_generator(device: str) -> AbstractContextManager[Any]:
    """The caller's random numbers go on afterwards as if none had been drawn; no GPU is touched unless it is used."""
    return torch.random.fork_rng(devices=[torch.cuda.current_device()] if device == "cuda" else [])


class _Batches:
    """Rows of a stream as tensors: kept on the device where the table lies in memory, else read again at each pass."""

    def __init__(self, stream: Stream, job: Job, centre: float, scale: float, most: int) -> None:
        self._stream = stream
        self._job = job
        self._centre = centre
        self._scale = scale
        blocks = list(stream) if stream.in_memory else None
        self._held = None if blocks is None else [self._moved(block) for block in blocks]
        n_rows = sum(map(len, blocks if blocks is not None else stream))
        self._size = min(most, max(n_rows // 100, 64))

    @property
    def device(self) -> str:
        return self._job.device

    def train(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """Batches in a random order within each block."""
        for block in self._blocks():
            own = torch.arange(len(block[2]))
            own = own[own % _VALIDATION != 0]
            order = own[torch.randperm(len(own))].to(self._job.device)
            shuffled = [values.index_select(0, order) for values in block]  # once a pass: its batches are then views
            yield from zip(*(torch.split(values, self._size) for values in shuffled), strict=True)

    def validation(self) -> Iterator[tuple[torch.Tensor, ...]]:
        """The rows held out, in order."""
        for block in self._blocks():
            held_out = tuple(values[::_VALIDATION] for values in block)
            yield from zip(*(torch.split(values, _PREDICTED_ROWS) for values in held_out), strict=True)

    def _blocks(self) -> Iterator[tuple[torch.Tensor, ...]]:
        yield from self._held if self._held is not None else map(self._moved, self._stream)

    def _moved(self, rows: Rows) -> tuple[torch.Tensor, ...]:
        labels: Any = rows.labels
        if self._job.n_classes is None:
            labels = ((labels - self._centre) / self._scale).astype(np.float32)
        weights = np.ones(len(rows), np.float32) if rows.weights is None else rows.weights.astype(np.float32)
        device = self._job.device
        numbers, codes = _tensors(rows.inputs, device)
        return numbers, codes, torch.tensor(labels, device=device), torch.tensor(weights, device=device)


def _epochs(
    learner: Network, module: nn.Module, batches: _Batches, anchor: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    device = batches.device
    epochs = learner.update_epochs if anchor else learner.epochs
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=learner.learning_rate, weight_decay=learner.weight_decay, fused=True
    )
    forward = torch.compile(module) if learner.compiled else module
    best, least, since = _copy(module), math.inf, 0
    step = 0
    for epoch in range(epochs):
        module.train()
        rate = learner.learning_rate * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
        for numbers, codes, labels, weights in batches.train():
            step += 1
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, step / 20)  # the moments of a new optimizer are noise at first
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                outputs = forward(numbers, codes)
            loss = _loss(outputs.float(), labels, weights).mean()
            if anchor and learner.pull:
                loss = loss + learner.pull * sum(
                    (value - anchor[name]).square().sum() for name, value in module.named_parameters()
                )
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimizer.step()
        value = _validated(forward, module, batches, device)
        if not math.isfinite(value):
            raise TrainingError(
                f"the validation loss became {value} in epoch {epoch + 1}; "
                f"lower learning_rate (it is {learner.learning_rate}) or scale the target"
            )
        since += 1
        if value < least:
            best, least, since = _copy(module), value, 0
        if since >= learner.patience:
            break
    return best


def _validated(forward: Any, module: nn.Module, batches: _Batches, device: str) -> float:
    """Mean loss over the rows held out; one transfer, at the end."""
    module.eval()
    total = torch.zeros(2, device=device, dtype=torch.float64)
    with torch.inference_mode():
        for numbers, codes, labels, weights in batches.validation():
            losses = _loss(forward(numbers, codes).float(), labels, weights)
            total += torch.stack([losses.double().sum(), weights.double().sum()])
    value, weight = total.tolist()
    return float(value / weight) if weight else math.nan


def _loss(outputs: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    if labels.is_floating_point():
        return nn.functional.smooth_l1_loss(outputs[:, 0], labels, reduction="none") * weights
    return nn.functional.cross_entropy(outputs, labels, reduction="none") * weights


def _tensors(inputs: Inputs, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    numbers = torch.from_numpy(np.ascontiguousarray(inputs.numbers, np.float32))
    return numbers.to(device), torch.from_numpy(inputs.codes.astype(np.int64)).to(device)


def _scale(stream: Stream, job: Job) -> tuple[float, float]:
    """Weighted mean and standard deviation of a numeric label."""
    if job.n_classes is not None:
        return 0.0, 1.0
    weight = total = squares = 0.0
    origin: float | None = None  # a label, or large ones would leave nothing of their spread
    for rows in stream:
        if len(rows):
            origin = float(rows.labels[0]) if origin is None else origin
            weights = np.ones(len(rows)) if rows.weights is None else rows.weights
            moved = rows.labels - origin
            weight += float(weights.sum())
            total += float((weights * moved).sum())
            squares += float((weights * np.square(moved)).sum())
    mean = total / weight
    return (origin or 0.0) + mean, math.sqrt(max(squares / weight - mean * mean, 0.0)) or 1.0


def _shrunk(
    anchor: dict[str, torch.Tensor], fresh: dict[str, torch.Tensor], weights: set[str], learner: Network
) -> dict[str, torch.Tensor]:
    """Weights shrunk and perturbed; buffers, such as the statistics of BatchNorm, as they were."""
    if {name: value.shape for name, value in anchor.items()} != {name: value.shape for name, value in fresh.items()}:
        raise ConfigError("the model is of another network; update it with the parameters that it was fitted with")
    return {
        name: learner.shrink * value + learner.perturb * fresh[name] if name in weights else value
        for name, value in anchor.items()
    }


def _copy(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
