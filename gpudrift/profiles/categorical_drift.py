"""Compare a column of categories: rows by category in, FeatureDrift out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpudrift.profiles.bins import labelled
from gpudrift.profiles.columns import CategoricalColumn, Counted
from gpudrift.profiles.feature_drift import FeatureDrift, Further
from gpudrift.profiles.later import Later
from gpudrift.profiles.log_pvalues import corrected, enough, missing_test
from gpudrift.profiles.row_counts import row_counts
from gpudrift.profiles.verdict import DISTRIBUTION
from gpudrift.stats import chi_square, hellinger, js_distance, new_rate_log_pvalue, pool_rare, psi
from gpudrift_kernels.occupied import dense


def compare_categorical(
    column: CategoricalColumn, counted: Sequence[Counted], effective: Sequence[Counted]
) -> FeatureDrift:
    """From the rows of both sides, and from their effective rows."""
    size = len(column.vocabulary) + 1
    rows = [dense(side, size + 1) for side in counted]
    even = [dense(side, size + 1) for side in effective]
    # The reference itself has new ones only where it is a window that another is compared with.
    new_before, new = (int(side[size - 1]) for side in rows)
    new_even = [side[size - 1].item() for side in even]
    once, twice = (int(np.count_nonzero(rows[0][: size - 1] == times)) for times in (1, 2))
    if column.pooled:
        once, twice = column.pooled.once, column.pooled.twice
        for side in even:  # rare ones and new ones mirror each other
            side[size - 1] += side[column.pooled.place]
            side[column.pooled.place] = 0
    group = pool_rare(even[0][:size], even[1][:size])
    f, g = (np.bincount(group, side[:size]).astype(side.dtype) for side in even)
    n, m = (side.sum().item() for side in (f, g))
    sides = [row_counts(*side, size) for side in zip(counted, effective, strict=True)]
    test = chi_square(f, g)
    tests = {DISTRIBUTION: [test.log_pvalue]} if enough(n, m) else {}
    if tests and not column.truncated and once + new_before + new:
        # How often a category was seen is a matter of rows, whatever their weight.
        values = [int(side[:size].sum()) for side in rows]
        found = new_rate_log_pvalue(once, twice, values[0], new, values[1], new_reference=new_before)
        tests["new_rate"] = [found]
    some = (f + g) > 0
    return FeatureDrift(
        name=column.name,
        kind="categorical",
        dtype=column.dtype,
        psi=psi(f[some], g[some]),
        js_distance=js_distance(f, g),
        hellinger=hellinger(f, g),
        ks=None,
        wasserstein=None,
        wasserstein_lower=None,
        wasserstein_upper=None,
        cramers_v=test.cramers_v,
        new_rate=None if column.truncated or not n or not m else max(0.0, new_even[1] / m - (once + new_even[0]) / n),
        tests=corrected(tests | missing_test(*sides)),
        reference=sides[0],
        current=sides[1],
        new=0 if column.truncated else new,
        psi_bins=int(some.sum()),
        _bins=Later(
            lambda: tuple(
                b for b in labelled(_group_labels(column, group, new=new), (f, g), sides) if b.reference + b.current
            )
        ),
        _further=Later(lambda: Further.of_bins(f, g)),
    )


def _group_labels(column: CategoricalColumn, group: NDArray[np.int64], *, new: int) -> list[str]:
    """Of each group of categories: its name where it is one, else how many it holds; the last one is the pool."""
    members, first, sizes = np.unique(group[:-1], return_index=True, return_counts=True)
    alone = int(np.count_nonzero(sizes[members < group[-1]] == 1))
    labels = [
        column.vocabulary[int(i)].as_py() if size == 1 else f"rare {k - alone + 1} ({size:,} categories)"
        for k, (i, size) in enumerate(zip(first.tolist(), sizes.tolist(), strict=True))
        if members[k] < group[-1]
    ]
    n_pooled = int(np.count_nonzero(group[:-1] == group[-1]))
    last = "other" if column.truncated else f"rare and new ({n_pooled + (new > 0):,})" if n_pooled else "new"
    return [*labels, last]
