"""How well predictions meet labels: the loss that is watched while training, and the score that is reported."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FLOOR = 1e-15


def loss(predicted: NDArray[Any], labels: NDArray[Any]) -> float:
    """Log loss in nats of probabilities (n, classes), or mean squared error of numbers (n,)."""
    if predicted.ndim == 1:
        return float(np.mean(np.square(predicted - labels)))
    return float(-np.mean(np.log(np.maximum(predicted[np.arange(len(labels)), labels], _FLOOR))))


def score(predicted: NDArray[Any], labels: NDArray[Any]) -> float:
    """AUC of two classes, accuracy of more, minus the mean absolute error of numbers: higher is better.

    NaN where labels of one class leave no AUC.

    Examples
    --------
    >>> score(np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]), np.array([0, 1, 1]))
    1.0
    """
    if predicted.ndim == 1:
        return -float(np.mean(np.abs(predicted - labels)))
    if predicted.shape[1] == 2:
        return auc(predicted[:, 1], labels)
    return float(np.mean(predicted.argmax(axis=1) == labels))


def auc(scores: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of pairs of a 1 and a 0 where the 1 scores higher, ties counted half (Mann and Whitney, 1947)."""
    positive = np.sort(scores[labels == 1])
    negative = np.sort(scores[labels == 0])
    if not positive.size or not negative.size:
        return float("nan")
    below = np.searchsorted(negative, positive, side="left").sum()
    up_to = np.searchsorted(negative, positive, side="right").sum()
    return float(below + up_to) / 2 / positive.size / negative.size
