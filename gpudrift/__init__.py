"""gpudrift: fast, reproducible drift checks.

report = gd.check_drift(reference=train, current=today)

profile = gd.profile(train)          # read the reference once
counts = profile.count(batch)        # integers: counts + other, counts - other
report = profile.compare(counts)     # every statistic, and a verdict at a stated error rate

trainer = gd.get_trainer("xgboost")
model = trainer.fit(train, target="late")
newer = trainer.update(model, today, target="late")  # a warm start; model stays as it is
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gpudrift.version import __version__

if TYPE_CHECKING:
    from gpudrift.config import Settings
    from gpudrift.errors import (
        BackendUnavailable,
        ConfigError,
        DataError,
        DependencyMissing,
        DeviceError,
        GpudriftError,
        ModelError,
        PlanError,
        ProfileError,
        RegistryError,
        TrainingError,
    )
    from gpudrift.frames.problem import Problem
    from gpudrift.monitor import (
        AlphaSpending,
        Calibration,
        ChangePoint,
        EProcess,
        Likeness,
        OnlineFDR,
        Regime,
        SliceReports,
        WindowReports,
        calibrate,
        check_drift,
        load_settings,
    )
    from gpudrift.profiles import (
        Counts,
        DriftReport,
        FeatureDrift,
        Profile,
        Reason,
        load_profile,
        profile,
    )
    from gpudrift.retrain import Cost, Model, Trainer, get_trainer, load_model, predict_cost
    from gpudrift.stats import KS, statistic
    from gpudrift.store import Registry
    from gpudrift.versions import show_versions
    from gpudrift_kernels.backend import Backend, get_backend

__all__ = [  # noqa: RUF022  a page that a user reads, by what they want to do
    # check
    "check_drift",
    "profile",
    "load_profile",
    "Profile",
    "Counts",
    # results
    "DriftReport",
    "FeatureDrift",
    "KS",
    "Reason",
    "Problem",
    # a statistic of your own
    "statistic",
    # over time
    "WindowReports",
    "SliceReports",
    "ChangePoint",
    "Regime",
    "Likeness",
    "calibrate",
    "Calibration",
    "AlphaSpending",
    "OnlineFDR",
    "EProcess",
    # retrain
    "get_trainer",
    "load_model",
    "predict_cost",
    "Trainer",
    "Model",
    "Cost",
    "Registry",
    # settings and devices
    "Settings",
    "load_settings",
    "Backend",
    "get_backend",
    "show_versions",
    "__version__",
    # errors
    "GpudriftError",
    "BackendUnavailable",
    "ConfigError",
    "DataError",
    "DependencyMissing",
    "DeviceError",
    "ModelError",
    "PlanError",
    "ProfileError",
    "RegistryError",
    "TrainingError",
]

_HOMES = {
    "gpudrift_kernels.backend": ("Backend", "get_backend"),
    "gpudrift.config": ("Settings",),
    "gpudrift.errors": (
        "BackendUnavailable", "ConfigError", "DataError", "DependencyMissing", "DeviceError", "GpudriftError",
        "ModelError", "PlanError", "ProfileError", "RegistryError", "TrainingError",
    ),
    "gpudrift.frames.problem": ("Problem",),
    "gpudrift.monitor": (
        "AlphaSpending", "Calibration", "ChangePoint", "EProcess", "Likeness", "OnlineFDR", "Regime", "SliceReports",
        "WindowReports", "calibrate", "check_drift", "load_settings",
    ),
    "gpudrift.profiles": (
        "Counts", "DriftReport", "FeatureDrift", "Profile", "Reason", "load_profile", "profile",
    ),
    "gpudrift.retrain": ("Cost", "Model", "Trainer", "get_trainer", "load_model", "predict_cost"),
    "gpudrift.stats": ("KS", "statistic"),
    "gpudrift.store": ("Registry",),
    "gpudrift.versions": ("show_versions",),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: ``import gpudrift`` itself loads nothing."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'gpudrift' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
