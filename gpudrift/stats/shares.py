"""Totals and shares of two histograms over the same bins, plain and smoothed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def totals(reference: NDArray[np.int64], current: NDArray[np.int64]) -> tuple[int, int]:
    """Rows behind two histograms of the same bins.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k bins, cells or categories.

    Returns
    -------
    (int, int)
        The two sums.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> totals(np.array([3, 1]), np.array([0, 2]))
    (4, 2)
    """
    if reference.shape != current.shape:
        raise ValueError(f"reference and current must count the same bins, got {reference.shape} and {current.shape}")
    return reference.sum().item(), current.sum().item()


def shares(
    reference: NDArray[np.int64], current: NDArray[np.int64], *, smoothing: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Shares (c + smoothing) / (n + smoothing k) of the k counts of either side, or None if a side is empty.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k bins or categories.
    smoothing : float
        Pseudo-count added to every bin; 1/2 keeps logarithms finite (Jeffreys' prior).

    Returns
    -------
    (float64 shape (k,), float64 shape (k,)) or None
        p of the reference, q of the current data; None where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> p, q = shares(np.array([3, 1]), np.array([0, 2]), smoothing=0.5)
    >>> p.tolist(), [round(share, 3) for share in q.tolist()]
    ([0.7, 0.3], [0.167, 0.833])
    """
    n, m = totals(reference, current)
    if not n or not m:
        return None
    # as shares_each, in a third of its time
    pseudo_count, added = np.float64(smoothing), smoothing * reference.shape[-1]
    return (reference + pseudo_count) / (n + added), (current + pseudo_count) / (m + added)


def shares_each(
    reference: NDArray[np.int64], current: NDArray[np.int64], *, smoothing: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of either side of each pair of histograms: `shares` over leading axes.

    Parameters
    ----------
    reference, current : int64, shape (..., k)
        Counts of the same k bins or categories.
    smoothing : float
        Pseudo-count added to every bin.

    Returns
    -------
    (float64 shape (..., k), float64 shape (..., k))
        p of the reference, q of the current data; NaN in both where a side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> p, q = shares_each(np.array([[3, 1], [3, 1]]), np.array([[1, 1], [0, 0]]))
    >>> p.tolist(), q.tolist()
    ([[0.75, 0.25], [nan, nan]], [[0.5, 0.5], [nan, nan]])
    """
    if reference.shape != current.shape:
        raise ValueError(f"reference and current must count the same bins, got {reference.shape} and {current.shape}")
    n, m = (side.sum(axis=-1, keepdims=True) for side in (reference, current))
    pseudo_count = np.float64(smoothing)
    added = smoothing * reference.shape[-1]
    known = (n > 0) & (m > 0)
    of_reference, of_current = (np.where(known, rows + added, np.nan) for rows in (n, m))
    return (reference + pseudo_count) / of_reference, (current + pseudo_count) / of_current
