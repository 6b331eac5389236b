"""Admission: which requests and rows a trainer takes, and one line for each that it does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from gpudrift.errors import ConfigError, DataError, TrainingError
from gpudrift.retrain.learner import CAPABILITIES, Capability, Job, Learner, State
from gpudrift.retrain.losses import loss
from gpudrift.retrain.model import Model
from gpudrift.retrain.stream import MOST_WEIGHT, Rows, Stream, Summary
from gpudrift.retrain.target import Target

#: Fewer labelled rows teach nothing.
MIN_ROWS: Final = 30
_CHECKED_ROWS: Final = 5_000


def listed(capabilities: Sequence[Capability]) -> str:
    """Capabilities as a message names them."""
    return ", ".join(capabilities)


def chosen(learner: Learner, how: Capability | None) -> Capability:
    """The kind of update that was asked for, the learner's first by default."""
    if how is None:
        return learner.capabilities[0]
    if how not in learner.capabilities:
        what = "cannot" if how in CAPABILITIES else "knows no"
        raise ConfigError(f"{learner.name} {what} {how!r}; it can {listed(learner.capabilities)}")
    return how


def check_model(learner: Learner, model: Model, target: str, how: Capability, replay: int | None) -> None:
    """Raise for a model, a target or a replay that this kind of update cannot take."""
    if not isinstance(model, Model):
        raise ConfigError(f"model must be a Model, got {type(model).__name__}; load_model reads one")
    if model.learner.name != learner.name:
        raise ConfigError(f"the model is of {model.learner.name!r}, not {learner.name!r}; get its own trainer")
    if target != model.target.name:
        raise DataError(f"the model predicts {model.target.name!r}, not {target!r}; pass target={model.target.name!r}")
    if replay is not None and (isinstance(replay, bool) or not isinstance(replay, int | np.integer) or replay < 0):
        raise ConfigError(f"replay must be a number of rows, 0 or more, got {replay!r}")
    if how == "exact_sums" and replay:
        raise ConfigError(f"{learner.name} adds exact sums, and a replayed row would count twice; pass replay=0")


def check_task(learner: Learner, target: Target) -> None:
    """Raise for a target of a kind that the learner does not predict."""
    task = "regression" if target.n_classes is None else "classification"
    if task not in learner.tasks:
        held = "a number" if task == "regression" else "a class"
        raise DataError(
            f"{learner.name} does {' and '.join(learner.tasks)}, and target {target.name!r} is {held}; "
            f"pass another target, or task={learner.tasks[0]!r}"
        )


def admitted(stream: Stream, target: Target, how: Capability = "full") -> Summary:
    """The summary of rows that are fit to learn from."""
    summary = stream.summary()
    least = 1 if how == "exact_sums" else MIN_ROWS
    if summary.n_rows < least:
        raise DataError(f"{summary.n_rows:,} labelled rows are too few to learn from; pass {least} or more")
    if not summary.weight > 0:
        raise DataError("every row weighs 0; give some a weight above 0")
    if summary.weight < summary.n_rows / MOST_WEIGHT:
        total = f"{summary.weight:.3g}"
        raise DataError(f"the weights add up to {total}, which is 0 to a learner of 32 bits; multiply them all")
    if summary.empty and how != "full" and summary.n_rows >= MIN_ROWS:
        raise DataError(f"feature {summary.empty[0]!r} has no value in the new data; repair it, or fit without it")
    if target.n_classes and how != "exact_sums":
        seen = np.zeros(target.n_classes, np.int64)
        for rows in stream:
            labels = rows.labels if rows.weights is None else rows.labels[rows.weights > 0]
            seen += np.bincount(labels, minlength=target.n_classes)
        if not seen.all():
            missing = target.classes[int(np.argmin(seen))]
            raise DataError(
                f"no row of class {missing!r} is among the new and replayed rows; pass more rows, or replay=None"
            )
    return summary


def finite(learner: Learner, state: State, stream: Stream, job: Job) -> float:
    """The loss on some of the rows that were learned from."""
    rows = _some(stream)
    value = loss(learner.predict(state, rows.inputs, job), rows.labels)
    if not math.isfinite(value):
        raise TrainingError(f"the loss of {learner.name} became {value}; scale the target or take smaller steps")
    return value


def check_not_worse(before: Model, after: float, stream: Stream, worse: float) -> None:
    """Raise TrainingError where the loss on the update's own rows rose by more than the factor."""
    rows = _some(stream)
    was = loss(before.learner.predict(before.state, rows.inputs, before.job), rows.labels)
    if after > was * worse and after > was + 1e-6:
        raise TrainingError(
            f"the update diverged: its loss on its own rows went from {was:.4g} to {after:.4g}; "
            "take smaller steps or fit in full (the model is unchanged)"
        )


def check_remembers(newer: Model, margin: float) -> None:
    """Raise TrainingError where an anchor lost more than the margin."""
    if newer.transfer is None or not (lost := newer.transfer.beyond(margin)):
        return
    others = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    raise TrainingError(
        f"the update forgot: anchor {lost[0]!r}{others} lost {-newer.transfer.changes[lost[0]]:.4f}, which passes "
        f"margin={margin}; fit in full on past and new rows, or pass on_forgetting='tell' (the model is unchanged)"
    )


def _some(stream: Stream) -> Rows:
    """At most 5,000 rows spread over the first block."""
    rows = next(iter(stream))
    return rows.take(np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _CHECKED_ROWS)).astype(np.int64)))
