"""Rows that change with time: what the tests of training share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gpudrift as gd


def month(seed: int, n_rows: int = 800, *, shift: float = 0.0) -> dict[str, Any]:
    """Two numbers, one with gaps, a category; ``late`` is likelier in rain, and the more so the greater the shift."""
    rng = np.random.default_rng(seed)
    rain, wind = rng.normal(size=n_rows), rng.normal(size=n_rows)
    carrier = np.array(["AA", "B6", "UA"])[rng.integers(0, 3, n_rows)]
    logit = (1.5 + shift) * rain - wind + (carrier == "B6") - shift
    late = rng.random(n_rows) < 1 / (1 + np.exp(-logit))
    wind[rng.random(n_rows) < 0.1] = np.nan
    return {"rain": rain, "wind": wind, "carrier": carrier, "late": late}


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """PyTorch's threads wait for each other by spinning: with other work on the machine, small tests took minutes."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def winter() -> dict[str, Any]:
    return month(1)


@pytest.fixture(scope="session")
def summer() -> dict[str, Any]:
    return month(2, 400, shift=1.0)


@pytest.fixture(scope="session")
def ridge(winter: dict[str, Any]) -> gd.Model:
    return gd.get_trainer("ridge", device="cpu").fit(winter, target="late")


#: Small and quick, each with the parameters that 600 rows need.
QUICK: dict[str, dict[str, Any]] = {
    "ridge": {},
    "logistic": {},
    "naive_bayes": {},
    "forest": {"n_trees": 30, "n_threads": 1, "min_leaf": 3},
    "xgboost": {"n_rounds": 40, "n_threads": 1},
    "torch": {"learning_rate": 5e-3, "hidden": (32,)},
}


def trainer_of(name: str, **params: Any) -> gd.Trainer:
    return gd.get_trainer(name, device="cpu", **QUICK[name], **params)


def fails(kind: type[Exception], message: str, request: Callable[[], Any]) -> None:
    with pytest.raises(kind) as raised:
        request()
    assert str(raised.value) == message
