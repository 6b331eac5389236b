"""Model: what was learned, with the pipeline that feeds it, its past and its cost; a value that never changes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Problem, TableLike, open_source
from gpudrift.retrain.anchors import MOST_ROWS, Transfer, is_automatic, usable
from gpudrift.retrain.features import Features
from gpudrift.retrain.learner import Job, Learner, State
from gpudrift.retrain.losses import score
from gpudrift.retrain.reservoir import Reservoir
from gpudrift.retrain.stream import LABEL, Labelled, Stream
from gpudrift.retrain.target import Target
from gpudrift.store import Cost
from gpudrift_kernels.lazily import lazily


@dataclass(frozen=True, repr=False, eq=False)  # arrays are neither equal nor hashable; ids are
class Model:
    """A fitted model. Made by ``Trainer.fit`` and ``Trainer.update``, or read by ``load_model``.

    Attributes
    ----------
    id : str
        SHA-256 of trainer, parameters, seed, parent, data and replay: the same fit on the same data has the same.
    parent : str or None
        The id of the model that an update began with.
    how : str
        What made it: "full", or the capability of the update.
    warm_starts, full_rows, rows_since, rows_seen : int
        Updates since the last full fit, the rows of that fit, the new rows of those updates; labelled rows ever passed.
    features, target : Features, Target
        The pipeline, frozen.
    cost : Cost
    transfer : Transfer or None
        Change of the score on each anchor by the update; None without anchors.
    problems : tuple of Problem
        Columns that were left out, and other things to know.
    data_digest : str
        SHA-256 of the rows as the learner saw them.
    """

    learner: Learner
    state: State
    job: Job
    target: Target
    how: str
    params: Mapping[str, Any]
    data_digest: str
    cost: Cost
    parent: str | None = None
    warm_starts: int = 0
    full_rows: int = 0
    rows_since: int = 0
    rows_seen: int = 0
    replay: int | None = None
    described: Mapping[str, str] = field(default_factory=dict)
    reservoir: Reservoir | None = None
    anchors: Mapping[str, pa.Table] = field(default_factory=dict)
    transfer: Transfer | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def features(self) -> Features:
        return self.job.features

    @lazily
    def id(self) -> str:
        """Hex SHA-256 of where it comes from."""
        settings = [self.params, self.described, self.job.seed, self.how, self.replay]
        origin = [self.learner.name, *settings, self.parent, self.data_digest]
        return hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()

    def predict(self, frame: TableLike) -> NDArray[Any]:
        """Classes or numbers, one a row, in the order of the rows.

        Parameters
        ----------
        frame : table
            As ``check_drift`` takes; columns that the model does not know are not read.

        Raises
        ------
        DataError
            A column is missing, or of a type that it was not fitted on.
        """
        predicted = self._predict(frame)
        return predicted if predicted.ndim == 1 else self.target.decode(predicted.argmax(axis=1))

    def predict_proba(self, frame: TableLike) -> NDArray[Any]:
        """Probabilities (rows, classes), float64, in the order of ``target.classes``.

        Raises
        ------
        DataError
            As ``predict``, and where the model predicts a number.
        """
        if self.target.n_classes is None:
            raise DataError(f"the model predicts the number {self.target.name!r}, not classes; call predict")
        return self._predict(frame)

    def score(self, frame: TableLike) -> float:
        """AUC of two classes, accuracy of more, minus the mean absolute error of numbers: higher is better.

        Every row with a label counts, and all alike. NaN where labels of one class leave no AUC.

        Raises
        ------
        DataError
            As ``predict``, and where no row has a label.
        """
        stream = self._labelled(frame)
        parts = [(self.learner.predict(self.state, rows.inputs, self.job), rows.labels) for rows in stream if len(rows)]
        if not parts:
            raise DataError("labelled rows hold no label; pass rows with one")
        predicted, labels = (np.concatenate(held) for held in zip(*parts, strict=True))
        return score(predicted, labels)

    def with_anchors(self, frames: Mapping[str, TableLike]) -> Model:
        """The model with anchors of your own, in place of those that were cut automatically.

        Parameters
        ----------
        frames : mapping of name to table
            Labelled rows of a past regime, never trained on: at most 5,000 are kept of each, spread over the frame.

        Raises
        ------
        DataError
            Too few rows: of two classes an anchor needs 20 rows of each.
        """
        given = {name: rows for name, rows in self.anchors.items() if not is_automatic(rows)}
        for name, frame in frames.items():
            given[name] = self._plain(frame)
            if not usable(given[name], self.target):
                raise DataError(f"anchor {name!r} holds fewer than 20 rows of a class; pass more rows")
        return replace(self, anchors=given)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write a folder of data files (no pickle) under one digest; it appears whole or not at all.

        Raises
        ------
        DataError
            The folder is taken, or cannot be written.
        ModelError
            A scikit-learn estimator holds a type that skops does not trust, as ``MLPClassifier`` does.
        """
        from gpudrift.retrain.folder import save_model

        save_model(self, folder)

    def transfer_from(self, before: Model) -> Transfer | None:
        """Change of the score on each anchor since a model; None where it carries no anchor."""
        if not before.anchors:
            return None
        changes = {}
        for name, rows in before.anchors.items():
            unit = 1.0 if self.target.n_classes else float(np.std(rows[LABEL].to_numpy())) or 1.0
            changes[name] = (self._score(rows) - before._score(rows)) / unit
        return Transfer(changes)

    def __repr__(self) -> str:
        return f"<Model {self.learner.name} of {self.target.name!r}, {self.how}, {self.id[:12]}>"

    def _predict(self, frame: TableLike) -> NDArray[Any]:
        source = open_source(frame, "prediction", again=False)
        self.features.check(source.types, "rows to predict")
        parts = [
            self.learner.predict(self.state, self.features.transform(batch.columns), self.job)
            for batch in source.batches(self.features.names)
            if batch.n_rows
        ]
        shape = (0,) if self.target.n_classes is None else (0, self.target.n_classes)
        return np.concatenate([np.empty(shape), *parts])

    def _labelled(self, frame: TableLike) -> Stream:
        source = open_source(frame, "labelled", again=True)
        self.features.check(source.types, "labelled rows")
        return Stream(Labelled(source, self.target.name, None, "labelled rows"), self.features, self.target)

    def _plain(self, frame: TableLike) -> pa.Table:
        """At most 5,000 labelled rows, spread over the frame."""
        stream = self._labelled(frame)
        n_rows = stream.summary().n_rows
        if not n_rows:
            raise DataError("labelled rows hold no label; pass rows with one")
        return stream.sample(np.unique(np.linspace(0, n_rows - 1, min(n_rows, MOST_ROWS)).astype(np.int64)))

    def _score(self, rows: pa.Table) -> float:
        """Of rows as ``_plain`` keeps them: numbers and text, whatever types they came in."""
        inputs = self.features.transform({name: rows[name] for name in self.features.names})
        return score(self.learner.predict(self.state, inputs, self.job), rows[LABEL].to_numpy())
