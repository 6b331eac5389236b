"""PSI bins: the deciles of the reference, snapped to indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.profiles.feature_drift import Bin
from gpudrift.profiles.row_counts import RowCounts
from gpudrift_kernels.steps import between, quantiles

N_QUANTILES: Final = 10


def bin_starts(indices: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices at which a bin begins.

    A bin ends with the index that holds a decile, as (a, b] does; an index with a tenth of the reference or more (an
    atom) is a bin of its own. The first bin is open below, the last above.

    Parameters
    ----------
    indices, counts : 1-D ndarray of int64
        Occupied indices of the reference, ascending, and their rows.

    Examples
    --------
    >>> import numpy as np
    >>> bin_starts(np.arange(20), np.ones(20, np.int64))
    array([ 2,  4,  6,  8, 10, 12, 14, 16, 18])
    >>> bin_starts(np.array([4, 9]), np.array([90, 10]))
    array([ 4,  5,  9, 10])
    """
    n = int(counts.sum())
    if not n:
        return np.empty(0, np.int64)
    starts = quantiles(indices, counts, N_QUANTILES) + 1
    if int(counts.max()) * N_QUANTILES >= n:
        atoms = indices[counts * N_QUANTILES >= n]
        starts = np.concatenate([starts, atoms, atoms + 1])
    return np.array(sorted(set(starts.tolist())), np.int64)  # of so few in a third of the time of np.unique


def bin_counts(starts: NDArray[np.int64], indices: NDArray[np.int64], counts: NDArray[Any]) -> NDArray[Any]:
    """Rows in each of the ``len(starts) + 1`` bins, of the dtype of the counts; indices ascend."""
    return between(starts, indices, counts)


def labelled(labels: Sequence[str], bins: Sequence[NDArray[Any]], sides: Sequence[RowCounts]) -> tuple[Bin, ...]:
    """Bins in rows, of both sides: effective ones count as many as there are rows."""
    f, g = (
        counts * (side.n / side.n_effective) if counts.dtype.kind == "f" and side.n_effective else counts
        for counts, side in zip(bins, sides, strict=True)
    )
    return tuple(map(Bin, labels, f.tolist(), g.tolist()))
