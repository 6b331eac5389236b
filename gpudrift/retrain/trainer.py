"""Trainer: fit and update, the same for every learner: data, features, safeguards, cost, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.errors import ConfigError
from gpudrift.frames import Batch, Problem, TableLike, open_source
from gpudrift.retrain.admission import (
    admitted,
    check_model,
    check_not_worse,
    check_remembers,
    check_task,
    chosen,
    finite,
    listed,
)
from gpudrift.retrain.anchors import cut, is_automatic, marked, thinned, usable
from gpudrift.retrain.device import choose_device
from gpudrift.retrain.features import Features, fit_features
from gpudrift.retrain.learner import Capability, Job, Learner, Mergeable
from gpudrift.retrain.meter import Meter
from gpudrift.retrain.model import Model
from gpudrift.retrain.parameters import as_json, described
from gpudrift.retrain.reservoir import Reservoir
from gpudrift.retrain.settings import Settings
from gpudrift.retrain.stream import LABEL, WEIGHT, Labelled, Rows, Stream, Summary, Weights, require_readable
from gpudrift.retrain.target import Target, fit_target


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
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ConfigError(f"seed must be an integer >= 0, got {seed!r}")
        if not hasattr(learner, "__dataclass_fields__"):
            raise ConfigError(f"learner must be a dataclass of its parameters, got {type(learner).__name__}")
        self.learner = learner
        self.device = choose_device(device, learner)
        self.seed = int(seed)
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
            every = Labelled(source, target, weights, "training data")
            fitted = fit_target(target, source.types[target], every.labels(), self.settings.task)
            check_task(self.learner, fitted)
            cuts = self._cuts(every)
            labelled = every.without(_positions(cuts))
            problems = list(source.problems)
            if features is None:
                features, more = self._features(labelled)
                problems += more
            features.check(source.types, "training data")
            stream = Stream(labelled, features, fitted)
            summary = admitted(stream, fitted)
            job = Job(features, fitted.n_classes, self.device, self.seed)
            state = self.learner.fit(stream, job)
            finite(self.learner, state, stream, job)
            reservoir = self._reservoir(None, stream, summary)
            anchors = _sampled(cuts, Stream(every, features, fitted), fitted, 0)
        return Model(
            learner=self.learner,
            state=state,
            job=job,
            target=fitted,
            how="full",
            params=as_json(self.learner),
            described=described(self.learner),
            data_digest=summary.digest,
            cost=meter.cost(summary.n_rows),
            full_rows=summary.n_rows,
            rows_seen=summary.n_rows + _positions(cuts).size,
            reservoir=reservoir,
            anchors=anchors,
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
            The loss became NaN; the update made the model worse on the rows it learned from; an anchor lost more than
            ``margin`` (but for exact sums, which forget nothing without a decay, and "full").
        """
        how = chosen(self.learner, how)
        check_model(self.learner, model, target, how, replay)
        replay = None if replay is None else int(replay)
        with Meter(self.device) as meter:
            source = open_source(frame, "update", again=True)
            model.features.check(source.types, "new data")
            every = Labelled(source, target, weights, "new data")
            cuts = self._cuts(every, model)
            labelled = every.without(_positions(cuts))
            features, past, problems = model.features, _past(model, replay), list(source.problems)
            if how == "full":
                features, more = self._features(labelled, past, model.features)
                problems += more
            stream = Stream(labelled, features, model.target, None if past is None else _rows(past, features))
            summary = admitted(stream, model.target, how)
            warm_starts = 0 if how == "full" else model.warm_starts + 1
            job = Job(features, model.target.n_classes, self.device, self.seed + warm_starts)
            if how == "full":
                state = self.learner.fit(stream, job)
            else:
                state = self.learner.update(model.state, stream, job, how)
            after = finite(self.learner, state, stream, job)
            if how not in ("full", "exact_sums"):
                check_not_worse(model, after, stream, self.settings.worse)
            reservoir = self._reservoir(model.reservoir, stream, summary)
            updated = replace(model, learner=self.learner, state=state, job=job)
            updated = replace(updated, transfer=updated.transfer_from(model))
            if how not in ("full", "exact_sums") and self.settings.on_forgetting == "refuse":
                check_remembers(updated, self.settings.margin)
            anchors = {
                **model.anchors,
                **_sampled(cuts, Stream(every, features, model.target), model.target, model.rows_seen),
            }
        return replace(
            updated,
            how=how,
            params=as_json(self.learner),
            described=described(self.learner),
            data_digest=summary.digest,
            cost=meter.cost(summary.n_rows),
            parent=model.id,
            replay=replay,
            warm_starts=warm_starts,
            full_rows=summary.n_rows + (0 if past is None else past.num_rows) if how == "full" else model.full_rows,
            rows_since=0 if how == "full" else model.rows_since + summary.n_rows,
            rows_seen=model.rows_seen + summary.n_rows + _positions(cuts).size,
            reservoir=reservoir,
            anchors=thinned(anchors),
            problems=(*problems, *_unnamed(summary)),
        )

    def merge(self, first: Model, second: Model) -> Model:
        """One model of the rows of both, for ridge: shards fitted with the same ``features`` add up.

        Raises
        ------
        ConfigError
            The trainer keeps no sums, or the models see different features or targets.
        """
        if not isinstance(self.learner, Mergeable):
            raise ConfigError(f"{self.learner.name} cannot merge models; it can {listed(self.capabilities)}")
        if first.features != second.features or first.target != second.target:
            raise ConfigError("models merge if they share features and target; fit both with features=first.features")
        state = self.learner.merge(first.state, second.state)
        return replace(
            first,
            learner=self.learner,
            state=state,
            params=as_json(self.learner),
            data_digest="+".join(sorted([first.data_digest, second.data_digest])),
            cost=first.cost + second.cost,
            parent=None,
            full_rows=first.full_rows + second.full_rows,
            rows_since=first.rows_since + second.rows_since,
            rows_seen=first.rows_seen + second.rows_seen,
            problems=tuple(dict.fromkeys([*first.problems, *second.problems])),
        )

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
        self, labelled: Labelled, past: pa.Table | None = None, known: Features | None = None
    ) -> tuple[Features, list[Problem]]:
        """The pipeline of labelled rows; of those of the past too, and of the same columns, where there are any."""
        settings = self.settings
        if labelled.target in settings.columns:
            raise ConfigError(f"columns hold the target {labelled.target!r}; leave it out")
        given = [name for name in labelled.features if name != settings.regime]
        columns = list(known.names if known is not None else settings.columns or given)
        categorical = [category.name for category in known.categories] if known is not None else settings.categorical
        types = labelled.source.types
        require_readable(labelled.source, [*columns, *categorical], labelled.role)
        batches: Iterable[Batch] = (batch for batch, _, _ in labelled.batches(columns))
        if past is not None:
            batches = chain(batches, [Batch({name: past[name] for name in columns}, past.num_rows)])
        return fit_features(
            batches,
            {name: types[name] for name in columns},
            categorical=categorical,
            max_categories=settings.max_categories,
        )

    def _cuts(self, labelled: Labelled, model: Model | None = None) -> dict[str, NDArray[np.int64]]:
        """Rows to keep out of training as anchors: none where the user gave some, or the learner adds exact sums."""
        if self.settings.regime is not None:
            require_readable(labelled.source, [self.settings.regime], labelled.role)
        own = model is not None and any(not is_automatic(rows) for rows in model.anchors.values())
        if own or self.capabilities[0] == "exact_sums":
            return {}
        if model is None:
            return cut(labelled, self.settings)
        return cut(labelled, self.settings, n_before=model.rows_seen, known=list(model.anchors))

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


def _positions(cuts: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """All of them, ascending."""
    return np.sort(np.concatenate([np.empty(0, np.int64), *cuts.values()]))


def _sampled(
    cuts: Mapping[str, NDArray[np.int64]], stream: Stream, target: Target, n_before: int
) -> dict[str, pa.Table]:
    """The rows of each anchor; a set that has hardly a row of a class is none."""
    found = {}
    for name, positions in cuts.items():
        rows = stream.sample(positions)
        if usable(rows, target):
            found[name] = marked(rows, n_before + int(positions[0]), n_before + int(positions[-1]) + 1)
    return found
