"""Drift statistics: int64 counts in, float64 numbers out.

Nothing here reads a row, a file or a clock, or knows where the counts came from. A statistic has one
definition, in one file, and one line in `STATISTICS`, which holds its threshold.
An empty side has no distribution: its statistics are NaN, and the corrections do not count NaN p-values.
"""

from __future__ import annotations

from gpudrift.stats.bounded import Bounded
from gpudrift.stats.cdf import cdf_difference
from gpudrift.stats.chi_square import ChiSquare, chi_square, pool_rare
from gpudrift.stats.distributions import chi2_log_sf, kolmogorov_log_sf
from gpudrift.stats.hellinger import hellinger, hellinger_each
from gpudrift.stats.js import js_distance, js_distance_each, js_divergence
from gpudrift.stats.kl import kl
from gpudrift.stats.ks import KS, ks_from_cells, ks_from_interval, ks_from_statistic
from gpudrift.stats.l_infinity import l_infinity
from gpudrift.stats.moments import mean_change_from_cells, std_change_from_cells, std_from_cells
from gpudrift.stats.multiplicity import CORRECTIONS, benjamini_hochberg, bonferroni, uncorrected
from gpudrift.stats.out_of_range import out_of_range_from_cells
from gpudrift.stats.own import statistic
from gpudrift.stats.proportion import new_rate_log_pvalue, rate_change_log_pvalue
from gpudrift.stats.psi import psi, psi_each, psi_log_pvalue
from gpudrift.stats.registry import STATISTICS, BinFunction, Statistic
from gpudrift.stats.scaling import scaled_up
from gpudrift.stats.shares import totals
from gpudrift.stats.total_variation import total_variation
from gpudrift.stats.wasserstein import (
    Wasserstein,
    mean_std_from_cells,
    mean_std_from_moments,
    mean_std_sorted,
    relative_scale,
    wasserstein_exact,
    wasserstein_from_areas,
    wasserstein_from_cells,
)

__all__ = [
    "CORRECTIONS",
    "KS",
    "STATISTICS",
    "BinFunction",
    "Bounded",
    "ChiSquare",
    "Statistic",
    "Wasserstein",
    "benjamini_hochberg",
    "bonferroni",
    "cdf_difference",
    "chi2_log_sf",
    "chi_square",
    "hellinger",
    "hellinger_each",
    "js_distance",
    "js_distance_each",
    "js_divergence",
    "kl",
    "kolmogorov_log_sf",
    "ks_from_cells",
    "ks_from_interval",
    "ks_from_statistic",
    "l_infinity",
    "mean_change_from_cells",
    "mean_std_from_cells",
    "mean_std_from_moments",
    "mean_std_sorted",
    "new_rate_log_pvalue",
    "out_of_range_from_cells",
    "pool_rare",
    "psi",
    "psi_each",
    "psi_log_pvalue",
    "rate_change_log_pvalue",
    "relative_scale",
    "scaled_up",
    "statistic",
    "std_change_from_cells",
    "std_from_cells",
    "total_variation",
    "totals",
    "uncorrected",
    "wasserstein_exact",
    "wasserstein_from_areas",
    "wasserstein_from_cells",
]
