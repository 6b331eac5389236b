"""The root of the exception tree and the errors that the kernels themselves raise."""

from __future__ import annotations


class GpudriftError(Exception):
    """Every error that gpudrift raises on purpose derives from this one."""


class BackendUnavailable(GpudriftError, RuntimeError):
    """The asked-for device or its libraries are not there; the message says what to install or choose."""


class DeviceError(GpudriftError, RuntimeError):
    """A device cannot do what it is asked: no memory is left, a stream is gone, an array lies on another device."""


class PlanError(GpudriftError, ValueError):
    """A cell plan holds values that no sample could have given."""


class ConfigError(GpudriftError, ValueError):
    """A setting is unknown or out of range; the message holds its name, its value and what is allowed."""
