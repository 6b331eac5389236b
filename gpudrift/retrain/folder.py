"""A model as a folder: JSON, and the data files of its learner, its reservoir and its anchors."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from gpudrift.errors import ModelError
from gpudrift.frames import Problem
from gpudrift.retrain.anchors import Transfer, from_parquet, to_parquet
from gpudrift.retrain.catalogue import make_learner
from gpudrift.retrain.features import Features
from gpudrift.retrain.learner import Job
from gpudrift.retrain.model import Model
from gpudrift.retrain.reservoir import Reservoir
from gpudrift.retrain.target import Target
from gpudrift.store import Cost, read_artifact, write_artifact
from gpudrift.version import __version__

if TYPE_CHECKING:
    from gpudrift.retrain.trainer import Trainer

SCHEMA: Final = 1
_REPLAY: Final = "replay.parquet"
_ANCHOR: Final = "anchor-{}.parquet"


def save_model(model: Model, folder: str | os.PathLike[str]) -> None:
    """Write ``model``; see ``Model.save``."""
    files = model.learner.dump(model.state)
    if model.reservoir is not None:
        files[_REPLAY] = model.reservoir.to_bytes()
    for k, rows in enumerate(model.anchors.values()):
        files[_ANCHOR.format(k)] = to_parquet(rows)
    header = {
        "schema": SCHEMA,
        "gpudrift": __version__,
        "id": model.id,
        "trainer": model.learner.name,
        "params": dict(model.params),
        "seed": model.job.seed,
        "device": model.job.device,
        "how": model.how,
        "parent": model.parent,
        "warm_starts": model.warm_starts,
        "full_rows": model.full_rows,
        "rows_since": model.rows_since,
        "rows_seen": model.rows_seen,
        "replay": model.replay,
        "described": dict(model.described),
        "data_digest": model.data_digest,
        "features": model.features.to_dict(),
        "target": asdict(model.target),
        "cost": model.cost.to_dict(),
        "anchors": list(model.anchors),
        "transfer": None if model.transfer is None else model.transfer.to_dict(),
        "problems": [problem.to_dict() for problem in model.problems],
    }
    write_artifact(folder, header, files)


def load_model(folder: str | os.PathLike[str], *, trainer: Trainer | None = None) -> Model:
    """Read a model that ``Model.save`` wrote; it predicts on the CPU the same as before.

    Parameters
    ----------
    folder : path
    trainer : Trainer, optional
        Needed where the model is a PyTorch network of your own: code is never read from the folder.

    Raises
    ------
    ModelError
        Not there, altered by a single bit, too new, or holding values that no model has.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> import gpudrift as gd
    >>> rows = {"x": np.arange(100.0), "y": 2 * np.arange(100.0)}
    >>> model = gd.get_trainer("ridge").fit(rows, target="y")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     model.save(f"{place}/champion")
    ...     again = gd.load_model(f"{place}/champion")
    >>> again.id == model.id, bool((again.predict(rows) == model.predict(rows)).all())
    (True, True)
    """
    header, files = read_artifact(folder)
    schema = header.get("schema")
    if schema != SCHEMA:
        raise ModelError(f"{folder} has schema {schema}, this version reads {SCHEMA}; upgrade gpudrift")
    try:
        return _restore(header, files, trainer)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{folder} holds no valid model ({error}); fetch it again") from error


def _restore(header: dict[str, Any], files: dict[str, bytes], trainer: Trainer | None) -> Model:
    target = Target(**{**header["target"], "classes": tuple(header["target"]["classes"])})
    job = Job(Features.from_dict(header["features"]), target.n_classes, "cpu", header["seed"])
    learner = trainer.learner if trainer is not None else make_learner(header["trainer"], header["params"])
    if learner.name != header["trainer"]:
        raise ModelError(
            f"the model is of {header['trainer']!r}, and the trainer passed is {learner.name!r}; pass none"
        )
    return Model(
        learner=learner,
        state=learner.load(files, job),
        job=job,
        target=target,
        how=header["how"],
        params=header["params"],
        data_digest=header["data_digest"],
        cost=Cost(**header["cost"]),
        parent=header["parent"],
        warm_starts=header["warm_starts"],
        full_rows=header["full_rows"],
        rows_since=header["rows_since"],
        rows_seen=header["rows_seen"],
        replay=header["replay"],
        described=header["described"],
        reservoir=Reservoir.from_bytes(files[_REPLAY]) if _REPLAY in files else None,
        anchors={name: from_parquet(files[_ANCHOR.format(k)]) for k, name in enumerate(header["anchors"])},
        transfer=None if header["transfer"] is None else Transfer(**header["transfer"]),
        problems=tuple(Problem(**problem) for problem in header["problems"]),
    )
