"""Which of many log p-values to reject: corrections for testing many features at once.

All take natural logs, since p-values of large samples underflow.
NaN means not tested: never rejected, never counted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def benjamini_hochberg(log_pvalues: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Reject so that the expected share of false rejections among all rejections is at most `alpha`.

    Parameters
    ----------
    log_pvalues : float64, shape (tests,)
        Natural logs of p-values; NaN for a test that was not made.
    alpha : float
        False discovery rate, in (0, 1].

    Returns
    -------
    bool, shape (tests,)
        True where rejected.

    Raises
    ------
    ValueError
        If `alpha` is outside (0, 1].

    Notes
    -----
    With t tests made and p-values in ascending order, all up to the last one with p_(i) <= alpha i / t are
    rejected.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the False Discovery Rate.
    doi:10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> benjamini_hochberg(np.log([0.01, 0.2, 0.03]), alpha=0.05).tolist()
    [True, False, True]
    """
    log_alpha = _log_alpha(alpha)
    ascending = np.sort(log_pvalues[~np.isnan(log_pvalues)])
    ranks = np.arange(1, ascending.size + 1)
    passing = ascending[ascending <= log_alpha + np.log(ranks / ascending.size)]
    # NaN compares as False: both the untested and, where nothing passes, everyone stays unrejected.
    return log_pvalues <= (passing[-1] if passing.size else math.nan)


def bonferroni(log_pvalues: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Reject so that the probability of even one false rejection is at most `alpha`: p <= alpha / tests.

    Parameters
    ----------
    log_pvalues : float64, shape (tests,)
        Natural logs of p-values; NaN for a test that was not made.
    alpha : float
        Family-wise error rate, in (0, 1].

    Returns
    -------
    bool, shape (tests,)
        True where rejected.

    Raises
    ------
    ValueError
        If `alpha` is outside (0, 1].

    References
    ----------
    Dunn (1961), Multiple Comparisons Among Means. doi:10.1080/01621459.1961.10482090

    Examples
    --------
    >>> bonferroni(np.log([0.01, 0.2, 0.03]), alpha=0.05).tolist()
    [True, False, False]
    """
    tests = int(np.count_nonzero(~np.isnan(log_pvalues)))
    return log_pvalues <= _log_alpha(alpha) - math.log(max(tests, 1))


def uncorrected(log_pvalues: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Reject every test on its own: p <= alpha. Among many features some are then rejected by chance.

    Parameters
    ----------
    log_pvalues : float64, shape (tests,)
        Natural logs of p-values; NaN for a test that was not made.
    alpha : float
        Error rate of a single test, in (0, 1].

    Returns
    -------
    bool, shape (tests,)
        True where rejected.

    Raises
    ------
    ValueError
        If `alpha` is outside (0, 1].

    Examples
    --------
    >>> uncorrected(np.log([0.01, 0.2, 0.05]), alpha=0.05).tolist()
    [True, False, True]
    """
    return log_pvalues <= _log_alpha(alpha)


CORRECTIONS: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "benjamini-hochberg": benjamini_hochberg,
    "bonferroni": bonferroni,
    "none": uncorrected,
}


def _log_alpha(alpha: float) -> float:
    if not 0.0 < alpha <= 1.0:
        raise ValueError(f"alpha must lie in (0, 1], got {alpha!r}")
    return math.log(alpha)
