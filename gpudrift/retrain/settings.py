"""Settings of a trainer, whatever it learns with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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
    anchor_sets, anchor_rows : int
        Anchors that a fit cuts from the stretches of its rows, in their order, and the most rows of each: at most one
        row in twenty is kept out of training for them, and from 10,000 rows on. 0: none. Exact sums cut none.
    regime : str, optional
        Column whose values are the regimes instead; it is a feature only where ``columns`` names it.
    on_forgetting : {"refuse", "tell"}
        What becomes of an update, other than exact sums and a full fit, after which an anchor lost more than the
        margin: an error, or a model whose ``transfer`` and ``due`` say so.
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
    anchor_sets: int = 4
    anchor_rows: int = 1_000
    regime: str | None = None
    on_forgetting: Literal["refuse", "tell"] = "refuse"
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
        if self.on_forgetting not in ("refuse", "tell"):
            raise ConfigError(f"on_forgetting must be refuse or tell, got {self.on_forgetting!r}")
        if self.regime is not None and not isinstance(self.regime, str):
            raise ConfigError(f"regime must be the name of a column, got {self.regime!r}")
        if self.anchor_rows < 1:
            raise ConfigError(f"anchor_rows must be >= 1, got {self.anchor_rows}; anchor_sets=0 cuts none")
        for name in ("anchor_sets", "gap_tolerance", "margin"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name} must be >= 0, got {getattr(self, name)!r}")
        if not self.worse >= 1:
            raise ConfigError(f"worse must be >= 1, got {self.worse!r}")
