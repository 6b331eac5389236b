"""Profile a reference once, count batches, compare counts."""

from __future__ import annotations

from gpudrift.profiles.build import profile
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.feature_drift import Bin, FeatureDrift, Reason
from gpudrift.profiles.gdp import load_profile
from gpudrift.profiles.reference_profile import Profile

__all__ = [
    "Bin",
    "Counts",
    "DriftReport",
    "FeatureDrift",
    "Profile",
    "Reason",
    "load_profile",
    "profile",
]
