"""The trainers by name: a new one is a file in ``learners`` and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from gpudrift.errors import ConfigError
from gpudrift.nearest import hint
from gpudrift.retrain.learner import Learner
from gpudrift.retrain.parameters import check_types
from gpudrift.retrain.settings import Settings
from gpudrift.retrain.trainer import Trainer

#: Module below ``gpudrift.retrain.learners`` and class of each.
LEARNERS: Final = {
    "ridge": ("ridge", "Ridge"),
    "logistic": ("logistic", "Logistic"),
    "naive_bayes": ("naive_bayes", "NaiveBayes"),
    "forest": ("forest", "Forest"),
    "xgboost": ("boosting", "Boosting"),
    "torch": ("network", "Network"),
    "sklearn": ("adapter", "Adapter"),
}


def get_trainer(name: str, *, device: str = "auto", seed: int = 0, **params: Any) -> Trainer:
    """A trainer by name.

    Parameters
    ----------
    name : {"ridge", "logistic", "naive_bayes", "forest", "xgboost", "torch", "sklearn"}
    device : {"auto", "cpu", "cuda"}
        "cuda" never falls back; "auto" logs once why it takes the CPU.
    seed : int
        The same seed, data and number of threads give the same model.
    **params
        Fields of the learner (``gpudrift.retrain.learners``) and of ``gpudrift.retrain.Settings``: ``columns``,
        ``categorical``, ``max_categories``, ``task``, ``replay_rows``, ``refit_every``, ``gap_tolerance``, ``margin``,
        ``anchor_sets``, ``anchor_rows``, ``regime``, ``on_forgetting``.

    Raises
    ------
    ConfigError
        An unknown name or parameter, with the nearest known one; a value out of range.
    DependencyMissing
        The library of the trainer is not installed.
    BackendUnavailable
        ``device="cuda"`` without one.

    Examples
    --------
    >>> get_trainer("ridge").capabilities
    ('exact_sums', 'full')
    >>> get_trainer("rigde")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
        ...
    gpudrift.errors.ConfigError: trainer 'rigde' is unknown: did you mean 'ridge'?
    """
    of_trainer = {field.name for field in fields(Settings)}
    learner = make_learner(name, {key: value for key, value in params.items() if key not in of_trainer})
    given = {key: value for key, value in params.items() if key in of_trainer}
    check_types(name, Settings, given)
    return Trainer(learner, device=device, seed=seed, settings=Settings(**given))


def make_learner(name: str, params: Mapping[str, Any]) -> Learner:
    """A learner by name, with parameters that it has."""
    if not isinstance(name, str) or name not in LEARNERS:
        raise ConfigError(f"trainer {name!r} is unknown: {hint(str(name), LEARNERS)}")
    module, kind = LEARNERS[name]
    made = getattr(importlib.import_module(f"gpudrift.retrain.learners.{module}"), kind)
    known = [field.name for field in fields(made)]
    for key in params:
        if key not in known:
            raise ConfigError(f"{name}.{key} is unknown: {hint(key, [*known, *(f.name for f in fields(Settings))])}")
    check_types(name, made, params)
    learner: Learner = made(**params)
    return learner
