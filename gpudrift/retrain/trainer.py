"""Trainer: fit and update, the same for every learner: data, features, safeguards, cost, and what is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa

from gpudrift.errors import ConfigError, DataError, TrainingError
from gpudrift.frames import Batch, Problem, TableLike, open_source
from gpudrift.retrain.device import choose_device
from gpudrift.retrain.features import Features, fit_features
from gpudrift.retrain.learner import CAPABILITIES, Capability, Job, Learner, Mergeable, State
from gpudrift.retrain.losses import loss
from gpudrift.retrain.meter import Meter
from gpudrift.retrain.model import Model
from gpudrift.retrain.reservoir import Reservoir
from gpudrift.retrain.settings import Settings
from gpudrift.retrain.stream import LABEL, WEIGHT, Labelled, Rows, Stream, Summary, Weights, require_readable
from gpudrift.retrain.target import Target, fit_target

#: Fewer labelled rows teach nothing.
MIN_ROWS: Final = 30
_CHECKED_ROWS: Final = 5_000


class Trainer:
    """Fits models and updates them. Made by ``get_trainer``, or from a learner of your own.

    Examples
    --------
    >>> import numpy as np
    >>> import gpudrift as gd
    >>> x = np.linspace(0, 1, 200)
    >>> trainer = gd.get_trainer("ridge", alpha=0.0)
    >>> model = trainer.fit({"x": x, "y": 3 * x}, target="y")
    >>> newer = trainer.update(model, {"x": x, "y": 5 * x}, target="y")
    >>> newer.parent == model.id, model.predict({"x": [1.0]}).round(6), newer.predict({"x": [1.0]}).round(6)
    (True, array([3.]), array([4.]))
    """

    def __init__(
        self, learner: Learner, *, device: str = "auto", seed: int = 0, settings: Settings | None = None
    ) -> None:
        if not isinstance(seed, int) or seed < 0:
            raise ConfigError(f"seed must be an integer >= 0, got {seed!r}")
        self.learner = learner
        self.device = choose_device(device, learner)
        self.seed = seed
        self.settings = settings or Settings()

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What ``update`` can do, the default first."""
        return tuple(self.learner.capabilities)

    def fit(self, frame: TableLike, *, target: str, weights: Weights = None, features: Features | None = None) -> Model:
        """Learn from scratch.

        Parameters
        ----------
        frame : table
            As ``check_drift`` takes; Parquet may be larger than memory where the learner reads it in blocks (ridge,
            torch). Rows without a label are left out.
        target : str
            Column to predict.
        weights : str or array of shape (n_rows,), optional
        features : Features, optional
            A pipeline fitted before, as it is; by default it is fitted on these rows.

        Raises
        ------
        DataError
            Too few rows, one class only, no usable feature.
        TrainingError
            The loss became NaN.
        """
        with Meter(self.device) as meter:
            source = open_source(frame, "training", again=True)
            labelled = Labelled(source, target, weights, "training data")
            fitted = fit_target(target, source.types[target], labelled.labels(), self.settings.task)
            self._check_task(fitted)
            problems = list(source.problems)
            if features is None:
                features, more = self._features(labelled)
                problems += more
            features.check(source.types, "training data")
            stream = Stream(labelled, features, fitted)
            summary = self._checked(stream, fitted)
            job = Job(features, fitted.n_classes, self.device, self.seed)
            state = self.learner.fit(stream, job)
            self._finite(state, stream, job)
            reservoir = self._reservoir(None, stream, summary)
        return Model(
            learner=self.learner,
            state=state,
            job=job,
            target=fitted,
            how="full",
            params=_parameters(self.learner),
            data_digest=summary.digest,
            cost=meter.cost(summary.n_rows),
            full_rows=summary.n_rows,
            reservoir=reservoir,
            problems=tuple(problems),
        )

    def update(
        self,
        model: Model,
        frame: TableLike,
        *,
        target: str,
        weights: Weights = None,
        replay: int | None = None,
        how: Capability | None = None,
    ) -> Model:
        """Learn from new rows on top of a model, which stays as it is.

        Parameters
        ----------
        model : Model
            Of the same kind of trainer.
        frame : table
            The new rows: the same columns, no new class.
        target : str
        weights : str or array of shape (n_rows,), optional
        replay : int, optional
            Rows of the past to learn from again: None takes the reservoir that the model carries, 0 none.
        how : str, optional
            One of ``capabilities``, the first by default. "full" starts anew on these and the replayed rows.

        Raises
        ------
        ConfigError
            The trainer cannot do what is asked; the message names what it can.
        DataError
            A new class, a feature without a value, too few rows.
        TrainingError
            The loss became NaN, or the update made the model worse on the rows it learned from.
        """
        how = self._how(how)
        self._check_model(model, target, how, replay)
        with Meter(self.device) as meter:
            source = open_source(frame, "update", again=True)
            model.features.check(source.types, "new data")
            labelled = Labelled(source, target, weights, "new data")
            features, past = model.features, _past(model, replay)
            if how == "full":
                features, _ = self._features(labelled, past, model.features.names)
            stream = Stream(labelled, features, model.target, None if past is None else _rows(past, features))
            summary = self._checked(stream, model.target, how)
            warm_starts = 0 if how == "full" else model.warm_starts + 1
            job = Job(features, model.target.n_classes, self.device, self.seed + warm_starts)
            if how == "full":
                state = self.learner.fit(stream, job)
            else:
                state = self.learner.update(model.state, stream, job, how)
            after = self._finite(state, stream, job)
            if how not in ("full", "exact_sums"):
                self._not_worse(model, after, stream)
            reservoir = self._reservoir(model.reservoir, stream, summary)
        updated = replace(
            model,
            learner=self.learner,
            state=state,
            job=job,
            how=how,
            params=_parameters(self.learner),
            data_digest=summary.digest,
            cost=meter.cost(summary.n_rows),
            parent=model.id,
            warm_starts=warm_starts,
            full_rows=summary.n_rows + (0 if past is None else past.num_rows) if how == "full" else model.full_rows,
            rows_since=0 if how == "full" else model.rows_since + summary.n_rows,
            reservoir=reservoir,
            problems=(*source.problems, *_unnamed(summary)),
        )
        return replace(updated, transfer=updated.transfer_from(model))

    def merge(self, first: Model, second: Model) -> Model:
        """One model of the rows of both, for ridge: shards fitted with the same ``features`` add up.

        Raises
        ------
        ConfigError
            The trainer keeps no sums, or the models see different features or targets.
        """
        if not isinstance(self.learner, Mergeable):
            raise ConfigError(f"{self.learner.name} cannot merge models; it can {_listed(self.capabilities)}")
        if first.features != second.features or first.target != second.target:
            raise ConfigError("models merge if they share features and target; fit both with features=first.features")
        state = self.learner.merge(first.state, second.state)
        digest = "+".join(sorted([first.data_digest, second.data_digest]))
        cost = replace(first.cost, rows=first.cost.rows + second.cost.rows)
        return replace(first, state=state, data_digest=digest, cost=cost, parent=None)

    def due(self, model: Model, *, gap: float | None = None) -> str | None:
        """Why a full fit is due; None: it is not.

        It is after so many warm starts, or once they brought more rows than the full fit had (never for exact sums);
        when the measured gap passes its tolerance; when an anchor lost more than the margin.

        Parameters
        ----------
        model : Model
        gap : float, optional
            Score of a full fit minus the score of this model on the same rows, where it was measured.
        """
        settings = self.settings
        if model.how != "exact_sums":
            if model.warm_starts >= settings.refit_every:
                return (
                    f"{model.warm_starts} warm starts since the last full fit reach refit_every={settings.refit_every}"
                )
            if model.rows_since > model.full_rows:
                return (
                    f"updates brought {model.rows_since:,} rows, more than the last full fit had ({model.full_rows:,})"
                )
        if gap is not None and gap > settings.gap_tolerance:
            return f"a full fit scores {gap:.4f} better, which passes gap_tolerance={settings.gap_tolerance}"
        if model.transfer is not None and (lost := model.transfer.beyond(settings.margin)):
            return (
                f"anchor {lost[0]!r} lost {-model.transfer.changes[lost[0]]:.4f}, which passes margin={settings.margin}"
            )
        return None

    def _features(
        self, labelled: Labelled, past: pa.Table | None = None, names: Sequence[str] = ()
    ) -> tuple[Features, list[Problem]]:
        """The pipeline of labelled rows, and of those of the past where there are any."""
        settings = self.settings
        columns = list(names or settings.columns or labelled.features)
        types = labelled.source.types
        require_readable(labelled.source, [*columns, *settings.categorical], labelled.role)
        batches: Iterable[Batch] = (batch for batch, _, _ in labelled.batches(columns))
        if past is not None:
            batches = chain(batches, [Batch({name: past[name] for name in columns}, past.num_rows)])
        return fit_features(
            batches,
            {name: types[name] for name in columns},
            categorical=settings.categorical,
            max_categories=settings.max_categories,
        )

    def _how(self, how: Capability | None) -> Capability:
        if how is None:
            return self.capabilities[0]
        if how not in self.capabilities:
            what = "cannot" if how in CAPABILITIES else "knows no"
            raise ConfigError(f"{self.learner.name} {what} {how!r}; it can {_listed(self.capabilities)}")
        return how

    def _check_model(self, model: Model, target: str, how: Capability, replay: int | None) -> None:
        if model.learner.name != self.learner.name:
            raise ConfigError(f"the model is of {model.learner.name!r}, not {self.learner.name!r}; get its own trainer")
        if target != model.target.name:
            raise DataError(
                f"the model predicts {model.target.name!r}, not {target!r}; pass target={model.target.name!r}"
            )
        if replay is not None and (not isinstance(replay, int) or replay < 0):
            raise ConfigError(f"replay must be a number of rows, 0 or more, got {replay!r}")
        if how == "exact_sums" and replay:
            raise ConfigError(
                f"{self.learner.name} adds exact sums, and a replayed row would count twice; pass replay=0"
            )

    def _check_task(self, target: Target) -> None:
        task = "regression" if target.n_classes is None else "classification"
        if task not in self.learner.tasks:
            held = "a number" if task == "regression" else "a class"
            raise DataError(
                f"{self.learner.name} does {' and '.join(self.learner.tasks)}, and target {target.name!r} is {held}; "
                f"pass another target, or task={self.learner.tasks[0]!r}"
            )

    def _checked(self, stream: Stream, target: Target, how: Capability = "full") -> Summary:
        """The summary of rows that are fit to learn from."""
        summary = stream.summary()
        least = 1 if how == "exact_sums" else MIN_ROWS
        if summary.n_rows < least:
            raise DataError(f"{summary.n_rows:,} labelled rows are too few to learn from; pass {least} or more")
        if summary.empty and how != "full" and summary.n_rows >= MIN_ROWS:
            raise DataError(f"feature {summary.empty[0]!r} has no value in the new data; repair it, or fit without it")
        if target.n_classes and how != "exact_sums":
            seen = np.zeros(target.n_classes, np.int64)
            for rows in stream:
                seen += np.bincount(rows.labels, minlength=target.n_classes)
            if not seen.all():
                missing = target.classes[int(np.argmin(seen))]
                raise DataError(
                    f"no row of class {missing!r} is among the new and replayed rows; pass more rows, or replay=None"
                )
        return summary

    def _finite(self, state: State, stream: Stream, job: Job) -> float:
        """The loss on some of the rows that were learned from."""
        rows = _some(stream)
        value = loss(self.learner.predict(state, rows.inputs, job), rows.labels)
        if not math.isfinite(value):
            raise TrainingError(
                f"the loss of {self.learner.name} became {value}; scale the target or take smaller steps"
            )
        return value

    def _not_worse(self, before: Model, after: float, stream: Stream) -> None:
        rows = _some(stream)
        was = loss(before.learner.predict(before.state, rows.inputs, before.job), rows.labels)
        if after > was * self.settings.worse and after > was + 1e-6:
            raise TrainingError(
                f"the update diverged: its loss on its own rows went from {was:.4g} to {after:.4g}; "
                "take smaller steps or fit in full (the model is unchanged)"
            )

    def _reservoir(self, before: Reservoir | None, stream: Stream, summary: Summary) -> Reservoir | None:
        if not self.settings.replay_rows or self.capabilities[0] == "exact_sums":
            return None
        before = before or Reservoir.empty(size=self.settings.replay_rows, seed=self.seed)
        return before.add(summary.n_rows, stream.sample)


def _past(model: Model, replay: int | None) -> pa.Table | None:
    if model.reservoir is None or replay == 0:
        return None
    return model.reservoir.at_most(model.reservoir.size if replay is None else replay)


def _rows(past: pa.Table, features: Features) -> Rows:
    """Rows of a reservoir through the same pipeline as all others."""
    inputs = features.transform({name: past[name] for name in features.names})
    weights = past[WEIGHT].to_numpy()
    return Rows(inputs, past[LABEL].to_numpy(), None if np.all(weights == 1) else weights)


def _unnamed(summary: Summary) -> list[Problem]:
    remedy = "they are taken as other; fit in full to learn them"
    return [
        Problem(name, f"holds categories without a code in {n:,} rows", remedy) for name, n in summary.other.items()
    ]


def _some(stream: Stream) -> Rows:
    """At most 5,000 rows spread over the first block."""
    rows = next(iter(stream))
    return rows.take(np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _CHECKED_ROWS)).astype(np.int64)))


def _parameters(learner: Learner) -> dict[str, Any]:
    """Parameters as JSON; what is none (a network, an estimator) is left out."""
    values = {field.name: getattr(learner, field.name) for field in fields(learner)}  # type: ignore[arg-type]
    return {name: value for name, value in values.items() if _is_json(value)}


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def _listed(capabilities: Sequence[Capability]) -> str:
    return ", ".join(capabilities)
