"""cuML's twins of scikit-learn's estimators: one table, and the one function that trains a twin in place of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from gpudrift.errors import ConfigError
from gpudrift.nearest import hint
from gpudrift.retrain.extras import library


@dataclass(frozen=True)
class Twin:
    """Where cuML has it, which arguments it takes under the same name, and values that differ.

    ``learned`` are what is copied, by scikit-learn's name, where cuML has no ``as_sklearn`` for it.
    """

    module: str
    arguments: tuple[str, ...]
    instead: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    learned: Mapping[str, str] = field(default_factory=dict)


_FOREST: Final = ("n_estimators", "max_depth", "min_samples_leaf", "max_features", "max_samples", "random_state")

#: By the name that both libraries use. A contract test holds the arguments to the recorded signatures of cuML 26.10.
TWINS: Final = {
    "RandomForestClassifier": Twin("cuml.ensemble", _FOREST, {"max_samples": {None: 1.0}}),
    "RandomForestRegressor": Twin("cuml.ensemble", _FOREST, {"max_samples": {None: 1.0}}),
    "GaussianNB": Twin(
        "cuml.naive_bayes",
        ("priors", "var_smoothing"),
        learned={
            "classes_": "classes_",
            "class_count_": "class_count_",
            "class_prior_": "class_prior_",
            "theta_": "theta_",
            "var_": "sigma_",  # with epsilon in it, in both
            "epsilon_": "epsilon_",
        },
    ),
    "LogisticRegression": Twin("cuml.linear_model", ("C", "tol", "max_iter", "fit_intercept", "class_weight")),
}


def why_no_twin() -> str | None:
    """What keeps cuML from being used; None: nothing."""
    return None if find_spec("cuml") else 'cuml is not installed (pip install "gpudrift[rapids]")'


def fit_twin(estimator: Any, x: Any, y: Any, weights: Any) -> Any:
    """Train cuML's twin of an unfitted scikit-learn estimator on the GPU, and give it back as scikit-learn's.

    Raises
    ------
    ConfigError
        The estimator has no twin in the table.
    """
    name = type(estimator).__name__
    if name not in TWINS:
        raise ConfigError(f"{name} has no twin in cuML: {hint(name, TWINS)}; pass device='cpu'")
    twin = TWINS[name]
    given = estimator.get_params(deep=False)
    arguments = {key: twin.instead.get(key, {}).get(given[key], given[key]) for key in twin.arguments}
    trained = getattr(library(twin.module, extra="rapids"), name)(**arguments)
    if weights is None:
        trained.fit(x, y)
    else:
        trained.fit(x, y, sample_weight=weights)
    if not twin.learned:
        return trained.as_sklearn()
    made = library("sklearn.base").clone(estimator)
    made.n_features_in_ = x.shape[1]
    for ours, theirs in twin.learned.items():
        value = _on_host(getattr(trained, theirs))
        setattr(made, ours, value if value.ndim else value.item())
    return made


def _on_host(value: Any) -> Any:
    """CuPy's arrays and cuML's come with ``get`` or ``to_output``; a number is one."""
    if hasattr(value, "to_output"):
        value = value.to_output("numpy")
    return np.asarray(value.get() if hasattr(value, "get") else value)
