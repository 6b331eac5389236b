"""Where to train: asked of the driver, which makes no context and loads no CUDA library."""

from __future__ import annotations

import logging
from functools import cache

from gpudrift.errors import BackendUnavailable, ConfigError
from gpudrift.retrain.learner import Learner
from gpudrift_kernels.cuda.driver import driver

_log = logging.getLogger(__name__)

DEVICES = ("auto", "cpu", "cuda")


def choose_device(device: str, learner: Learner) -> str:
    """ "cpu" or "cuda". "auto" takes the GPU where driver and library have one, and logs once why not.

    Raises
    ------
    BackendUnavailable
        "cuda" was asked for and is not there: it never falls back.
    """
    if device not in DEVICES:
        raise ConfigError(f"device must be one of {', '.join(DEVICES)}, got {device!r}")
    if device == "cpu":
        return "cpu"
    missing = why_no_gpu() or learner.why_no_cuda()
    if missing is None:
        return "cuda"
    if device == "cuda":
        raise BackendUnavailable(f"{learner.name} cannot train on cuda: {missing}; pass device='cpu'")
    _say_once(f"{learner.name} trains on the CPU: {missing}")
    return "cpu"


def why_no_gpu() -> str | None:
    """What keeps this machine from a GPU, with the remedy; None: nothing."""
    return driver().problem


@cache
def _say_once(message: str) -> None:
    _log.info("%s", message)
