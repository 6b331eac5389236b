"""cuML's twins of scikit-learn's estimators: one table, and the one function that trains a twin in place of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final

from gpudrift.errors import ConfigError
from gpudrift.nearest import hint
from gpudrift.retrain.extras import library


@dataclass(frozen=True)
class Twin:
    """Where cuML has it, which arguments it takes under the same name, and values that differ."""

    module: str
    arguments: tuple[str, ...]
    instead: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)


_FOREST: Final = ("n_estimators", "max_depth", "min_samples_leaf", "max_features", "max_samples", "random_state")

#: By the name that both libraries use. A contract test holds the arguments to the recorded signatures of cuML 26.10.
TWINS: Final = {
    "RandomForestClassifier": Twin("cuml.ensemble", _FOREST, {"max_samples": {None: 1.0}}),
    "RandomForestRegressor": Twin("cuml.ensemble", _FOREST, {"max_samples": {None: 1.0}}),
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
    return trained.as_sklearn()
