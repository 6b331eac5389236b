"""The exceptions of gpudrift.

GpudriftError
|-- BackendUnavailable (RuntimeError)   the asked-for device or its libraries are not there
|-- DeviceError        (RuntimeError)   a device ran out of memory, a stream is gone, an array lies on another device
|-- DependencyMissing  (ImportError)    an optional package is needed; the message holds the install line
|-- DataError          (ValueError)     an input cannot be read or compared
|-- ProfileError       (ValueError)     a profile file is damaged, too new, or not one of ours
|-- ModelError         (ValueError)     a model folder is damaged, too new, or not one of ours
|-- TrainingError      (RuntimeError)   a fit or an update went wrong; the model it began with is unchanged
|-- RegistryError      (RuntimeError)   the model registry does not answer, or does not know the model
|-- ConfigError        (ValueError)     a setting is unknown or out of range
`-- PlanError          (ValueError)     a cell plan holds values that no sample could have given
"""

from __future__ import annotations

from gpudrift_kernels.errors import BackendUnavailable, ConfigError, DeviceError, GpudriftError, PlanError

__all__ = [
    "BackendUnavailable",
    "ConfigError",
    "DataError",
    "DependencyMissing",
    "DeviceError",
    "GpudriftError",
    "ModelError",
    "PlanError",
    "ProfileError",
    "RegistryError",
    "TrainingError",
]


class DependencyMissing(GpudriftError, ImportError):
    """An optional package is not installed; the message names it and the exact install line."""


class DataError(GpudriftError, ValueError):
    """An input cannot be read or compared; the message names it and the remedy."""


class ProfileError(GpudriftError, ValueError):
    """A profile file cannot be trusted: truncated, altered, too new, or not a profile."""


class ModelError(GpudriftError, ValueError):
    """A saved model cannot be trusted: truncated, altered, too new, or not a model."""


class TrainingError(GpudriftError, RuntimeError):
    """A fit or an update failed: its loss became NaN, or it made the model worse on the rows that it learned from."""


class RegistryError(GpudriftError, RuntimeError):
    """The model registry does not answer, or does not know the model, the version or the time asked for."""
