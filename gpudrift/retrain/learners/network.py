"""PyTorch: any network over numbers and codes, with a built-in one that is good on tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import ConfigError, ModelError
from gpudrift.retrain.extras import library
from gpudrift.retrain.features import Inputs
from gpudrift.retrain.learner import Capability, Job
from gpudrift.retrain.stream import Stream

_SCALING: Final = "gpudrift.scaling"


@dataclass(frozen=True)
class Learned:
    """The weights by name on the host, and mean and scale of a numeric label (0 and 1 for classes)."""

    weights: Mapping[str, Any]
    centre: float
    scale: float


@dataclass(frozen=True)
class Network:
    """A network trained by AdamW, mixed precision on a GPU, with early stopping on a tenth of the rows.

    Parameters
    ----------
    network : callable, optional
        ``network(n_numbers, cardinalities, n_outputs) -> torch.nn.Module`` whose ``forward(numbers, codes)`` takes
        float32 (n, p), NaN where missing, and int64 (n, c). By default ``gpudrift.retrain.tabular.Tabular``.
    hidden : sequence of int
        Widths of the built-in network's layers.
    epochs, update_epochs, patience : int
        Most passes over the rows in a fit and in an update; passes without a better validation loss before it stops.
    batch_size : int
    learning_rate, weight_decay : float
    shrink, perturb : float
        An update starts from ``shrink * w + perturb * noise``, the noise being the
        weights of a fresh network: plain warm starts generalise worse (Ash and Adams, 2020, arXiv:1910.08475).
    pull : float
        Strength of the L2 pull of an update towards the weights that it began with.
    compiled : bool
        ``torch.compile`` the network: pays for many steps of a large network on a GPU, never for a short fit.
    """

    network: Callable[[int, Sequence[int], int], Any] | None = None
    hidden: Sequence[int] = (128, 64)
    epochs: int = 12
    update_epochs: int = 3
    patience: int = 2
    batch_size: int = 1024
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    shrink: float = 0.9
    perturb: float = 0.01
    pull: float = 1e-2
    compiled: bool = False

    name: ClassVar[str] = "torch"
    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression")

    def __post_init__(self) -> None:
        made = hasattr(self.network, "state_dict") and not isinstance(self.network, type)
        if self.network is not None and (made or not callable(self.network)):
            given = type(self.network).__name__
            raise ConfigError(f"network must be a function of (n_numbers, cardinalities, n_outputs), got {given}")
        for field in ("epochs", "update_epochs", "patience", "batch_size"):
            if getattr(self, field) < 1:
                raise ConfigError(f"{field} must be >= 1, got {getattr(self, field)!r}")
        for field in ("learning_rate", "shrink"):
            if not getattr(self, field) > 0:
                raise ConfigError(f"{field} must be above 0, got {getattr(self, field)!r}")
        for field in ("perturb", "pull", "weight_decay"):
            if not getattr(self, field) >= 0:
                raise ConfigError(f"{field} must be >= 0, got {getattr(self, field)!r}")

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return ("sgd", "full")

    def why_no_cuda(self) -> str | None:
        if find_spec("torch") is None:
            return 'torch is not installed (pip install "gpudrift[train]")'
        return None if library("torch").backends.cuda.is_built() else "this torch is built for the CPU"

    def fit(self, stream: Stream, job: Job) -> Learned:
        learned: Learned = _loop().train(self, stream, job, None)
        return learned

    def update(self, state: Learned, stream: Stream, job: Job, how: Capability) -> Learned:
        learned: Learned = _loop().train(self, stream, job, state)
        return learned

    def predict(self, state: Learned, inputs: Inputs, job: Job) -> NDArray[np.float64]:
        predicted: NDArray[np.float64] = _loop().predict(self, state, inputs, job)
        return predicted

    def module(self, job: Job) -> Any:
        """A fresh network for a job, on the host; the caller sets the seed."""
        sizes = [category.n_codes for category in job.features.categories]
        shape = (len(job.features.numbers), sizes, job.n_classes or 1)
        if self.network is not None:
            return self.network(*shape)
        from gpudrift.retrain.tabular import Tabular

        return Tabular(*shape, hidden=self.hidden)

    def dump(self, state: Learned) -> dict[str, bytes]:
        torch = library("torch")
        scaling = torch.tensor([state.centre, state.scale], dtype=torch.float64)
        return {"weights.safetensors": library("safetensors.torch").save({**state.weights, _SCALING: scaling})}

    def load(self, files: Mapping[str, bytes], job: Job) -> Learned:
        held = library("safetensors.torch").load(files["weights.safetensors"])
        centre, scale = held.pop(_SCALING).tolist()
        expected = {name: value.shape for name, value in self.module(job).state_dict().items()}
        if expected != {name: value.shape for name, value in held.items()}:
            raise ModelError(
                "the weights are of another network; pass trainer=get_trainer('torch', network=...) as it was"
            )
        return Learned(held, centre, scale)


def _loop() -> Any:
    library("torch")
    from gpudrift.retrain import torch_loop

    return torch_loop
