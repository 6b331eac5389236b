"""Learner: what a library has to do to be trained here. Everything else is the Trainer's, once for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, get_args, runtime_checkable

from gpudrift.retrain.features import Features, Inputs
from gpudrift.retrain.stream import Stream

#: What an update can do: exact_sums adds counts, warm_solver starts from the old solution, add_trees grows some more,
#: refresh_leaves gives old trees new values, sgd takes further steps, full starts anew.
Capability = Literal["exact_sums", "warm_solver", "add_trees", "refresh_leaves", "sgd", "full"]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)

#: What a learner has learned: its own type, never changed once made.
State: TypeAlias = Any


@dataclass(frozen=True)
class Job:
    """What is to be learned, and on what: classes (None: a number), "cpu" or "cuda", the seed of this fit."""

    features: Features
    n_classes: int | None
    device: str
    seed: int


class Learner(Protocol):
    """One model library. A frozen dataclass, whose fields are the parameters that ``get_trainer`` takes.

    Methods get blocks of inputs and return values: no files, no clock, no global random generator.
    """

    name: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]

    @property
    def capabilities(self) -> Sequence[Capability]:
        """What ``update`` can do, the default first."""
        ...

    def why_no_cuda(self) -> str | None:
        """What keeps it from a GPU whose driver is there; None: nothing."""
        ...

    def fit(self, stream: Stream, job: Job) -> State:
        """Learn from scratch."""
        ...

    def update(self, state: State, stream: Stream, job: Job, how: Capability) -> State:
        """A new state from an old one, which stays as it is; ``how`` is one of its capabilities but "full"."""
        ...

    def predict(self, state: State, inputs: Inputs, job: Job) -> Any:
        """Probabilities (n, classes), or numbers (n,): a NumPy array of float64."""
        ...

    def dump(self, state: State) -> dict[str, bytes]:
        """Files by name, in data formats that run no code when they are read."""
        ...

    def load(self, files: Mapping[str, bytes], job: Job) -> State:
        """What ``dump`` gave, checked before it is used."""
        ...


@runtime_checkable
class Mergeable(Protocol):
    """A learner whose states add up."""

    def merge(self, first: State, second: State) -> State:
        """The state of the rows of both."""
        ...
