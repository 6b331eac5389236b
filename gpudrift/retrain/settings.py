"""Settings of a trainer, whatever it learns with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpudrift.errors import ConfigError
from gpudrift.retrain.reservoir import Reservoir
from gpudrift.retrain.target import Task


@dataclass(frozen=True)
class Settings:
    """What every trainer takes beside its learner's parameters.

    Attributes
    ----------
    columns : sequence of str
        Features; by default every column but the target and the weights.
    categorical : sequence of str
        Columns that are categories though they hold numbers.
    max_categories : int
        Categories with a code of their own; the rest is "other".
    task : {"auto", "classification", "regression"}
        "auto": text, booleans and integers of 0 and 1 are classes.
    replay_rows : int
        Size of the reservoir, at most 20,000; 0: none. Exact sums never have one: a row would count twice.
    refit_every : int
        After so many warm starts ``due`` asks for a full fit.
    gap_tolerance, margin : float
        ``due`` asks for one where a full fit scores better by more than the tolerance, or an anchor lost more than the
        margin.
    worse : float
        An update that multiplies the loss on its own rows by more than this has diverged.
    """

    columns: Sequence[str] = ()
    categorical: Sequence[str] = ()
    max_categories: int = 256
    task: Task = "auto"
    replay_rows: int = 20_000
    refit_every: int = 12
    gap_tolerance: float = 0.005
    margin: float = 0.02
    worse: float = 1.5

    def __post_init__(self) -> None:
        if self.task not in ("auto", "classification", "regression"):
            raise ConfigError(f"task must be auto, classification or regression, got {self.task!r}")
        for name in ("columns", "categorical"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(item, str) for item in value):
                raise ConfigError(f"{name} must be a list of column names, got {value!r}")
        if self.replay_rows:
            Reservoir.empty(size=self.replay_rows, seed=0)
        if self.refit_every < 1:
            raise ConfigError(f"refit_every must be >= 1, got {self.refit_every}")
